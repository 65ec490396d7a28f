package com.example.app;
import java.util.*;
class Helper { static String name() { return Helper.class.getName() + Helper.class.getPackage() + Helper.class.getModule(); } }
public class Start {
    public static void main(String... args) {
        System.out.println(Helper.name() + Start.class.getProtectionDomain().getCodeSource().getLocation().getPath().endsWith("/classes/"));
        List<String> names = new ArrayList<>();
        for (Package p : Package.getPackages()) names.add(p.getName());
        Collections.sort(names);
        System.out.println(names);
        throw new IllegalStateException();
    }
}
