package org.x;

public interface Greeter {
  String greet(String name);

  java.util.Map<String, Object> details(java.util.List<Integer> numbers);

  void fail();
}
