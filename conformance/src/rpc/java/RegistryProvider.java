package org.x;

import org.apache.dubbo.config.*;
import org.apache.dubbo.config.bootstrap.DubboBootstrap;

/** Arguments: port, registry or N/A, application. */
public final class RegistryProvider {
  public static void main(String[] args) throws Exception {
    int port = Integer.parseInt(args[0]);
    ServiceConfig<Greeter> service = new ServiceConfig<>();
    service.setInterface(Greeter.class);
    service.setVersion("1.0.0");
    service.setRef(new Provider.Impl() {
      @Override
      public String greet(String name) {
        return "hello " + name + " from " + port;
      }
    });
    ProtocolConfig protocol = new ProtocolConfig("dubbo", port);
    protocol.setSerialization("hessian2");
    protocol.setPreferSerialization("hessian2");
    ApplicationConfig application = new ApplicationConfig(args[2]);
    application.setQosEnable(false);
    DubboBootstrap.getInstance()
        .application(application)
        .registry(new RegistryConfig(args[1]))
        .protocol(protocol)
        .service(service)
        .start();
    System.out.println("ready");
    Thread.sleep(Long.MAX_VALUE);
  }
}
