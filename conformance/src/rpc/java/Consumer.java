package org.x;

import org.apache.dubbo.config.*;
import org.apache.dubbo.config.bootstrap.DubboBootstrap;

public final class Consumer {
  public static void main(String[] args) {
    ReferenceConfig<Greeter> reference = new ReferenceConfig<>();
    reference.setInterface(Greeter.class);
    reference.setVersion("1.0.0");
    reference.setUrl("dubbo://127.0.0.1:" + args[0] + "/org.x.Greeter?serialization=" + args[1]);
    reference.setTimeout(5000);
    reference.setRetries(0);
    reference.setCheck(false);
    ApplicationConfig application = new ApplicationConfig("consumer");
    application.setQosEnable(false);
    DubboBootstrap.getInstance()
        .application(application)
        .registry(new RegistryConfig("N/A"))
        .reference(reference)
        .start();
    Greeter greeter = reference.get();
    org.apache.dubbo.rpc.RpcContext.getClientAttachment().setAttachment("colour", "blue");
    System.out.println("greet: " + greeter.greet("mesh"));
    System.out.println("details: " + greeter.details(java.util.List.of(1, 2, 3)));
    try {
      greeter.fail();
    } catch (IllegalStateException e) {
      System.out.println("fail: " + e.getMessage());
    }
    System.exit(0);
  }
}
