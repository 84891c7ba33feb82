package org.x.nacos;

import java.sql.DriverManager;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.SpringBootConfiguration;
import org.springframework.boot.autoconfigure.AutoConfigurationExcludeFilter;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.context.TypeExcludeFilter;
import org.springframework.boot.web.servlet.ServletComponentScan;
import org.springframework.context.annotation.ComponentScan;
import org.springframework.context.annotation.FilterType;
import org.springframework.scheduling.annotation.EnableScheduling;

/** Nacos' modules in one process, as its own distribution starts them; the console, which is not published, is left out. */
@SpringBootConfiguration
@EnableAutoConfiguration
@ComponentScan(
    basePackages = "com.alibaba.nacos",
    excludeFilters = @ComponentScan.Filter(
        type = FilterType.CUSTOM,
        classes = {TypeExcludeFilter.class, AutoConfigurationExcludeFilter.class}))
@ServletComponentScan("com.alibaba.nacos")
@EnableScheduling
public class Server {
  public static void main(String[] args) throws Exception {
    // Nacos waits for its new database less long than that takes on a busy machine.
    String url = "jdbc:derby:" + System.getProperty("nacos.home") + "/data/derby-data;create=true";
    DriverManager.getConnection(url, "nacos", "nacos").close();
    SpringApplication.run(Server.class, args);
  }
}
