package org.x;

import org.apache.dubbo.config.*;
import org.apache.dubbo.config.bootstrap.DubboBootstrap;

public final class Provider {
  public static class Impl implements Greeter {
    public String greet(String name) {
      return "hello " + name + " " + org.apache.dubbo.rpc.RpcContext.getServerAttachment().getAttachment("colour");
    }

    public java.util.Map<String, Object> details(java.util.List<Integer> numbers) {
      java.util.Map<String, Object> map = new java.util.TreeMap<>();
      map.put("sum", numbers.stream().mapToInt(Integer::intValue).sum());
      map.put("numbers", numbers);
      return map;
    }

    public void fail() {
      throw new IllegalStateException("as asked");
    }
  }

  public static void main(String[] args) throws Exception {
    ServiceConfig<Greeter> service = new ServiceConfig<>();
    service.setInterface(Greeter.class);
    service.setVersion("1.0.0");
    service.setRef(new Impl());
    ProtocolConfig protocol = new ProtocolConfig("dubbo", Integer.parseInt(args[0]));
    protocol.setSerialization(args[1]);
    ApplicationConfig application = new ApplicationConfig("provider");
    application.setQosEnable(false);
    DubboBootstrap.getInstance()
        .application(application)
        .registry(new RegistryConfig("N/A"))
        .protocol(protocol)
        .service(service)
        .start();
    System.out.println("ready");
    Thread.sleep(Long.MAX_VALUE);
  }
}
