package org.x;

import org.apache.dubbo.config.*;
import org.apache.dubbo.config.bootstrap.DubboBootstrap;
import org.apache.dubbo.rpc.RpcContext;

/** Arguments: registry, or a port on loopback to call; tag, or -; how many calls. */
public final class RegistryConsumer {
  public static void main(String[] args) {
    boolean direct = args[0].matches("\\d+");
    ReferenceConfig<Greeter> reference = new ReferenceConfig<>();
    reference.setInterface(Greeter.class);
    reference.setVersion("1.0.0");
    if (direct) reference.setUrl("dubbo://127.0.0.1:" + args[0] + "/org.x.Greeter?serialization=hessian2");
    reference.setTimeout(5000);
    reference.setRetries(0);
    reference.setCheck(false);
    ApplicationConfig application = new ApplicationConfig("registry-consumer");
    application.setQosEnable(false);
    DubboBootstrap.getInstance()
        .application(application)
        .registry(new RegistryConfig(direct ? "N/A" : args[0]))
        .reference(reference)
        .start();
    Greeter greeter = reference.get();
    for (int i = 0; i < Integer.parseInt(args[2]); i++) {
      if (!args[1].equals("-")) RpcContext.getClientAttachment().setAttachment("dubbo.tag", args[1]);
      System.out.println("greet: " + greeter.greet("mesh"));
    }
    System.exit(0);
  }
}
