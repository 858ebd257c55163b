package org.scriptkd.sdk;

import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.util.Arrays;
import java.util.Random;

/** Prints how long the Java SDK's pre-processing takes: SQUARE_HEIGHT (0: none) RUNS WIDTH HEIGHT, in milliseconds. */
class Speed {
    public static void main(String[] arguments) {
        int squareHeight = Integer.parseInt(arguments[0]);
        int width = Integer.parseInt(arguments[2]);
        int height = Integer.parseInt(arguments[3]);
        Preprocessing how = new Preprocessing(1, 48, 48, 384, 24, squareHeight == 0 ? null : (Integer) squareHeight);
        Random random = new Random(1);
        int[] argb = new int[width * height];
        for (int i = 0; i < argb.length; i++) {
            argb[i] = 0xFF000000 | random.nextInt();
        }
        ThreadMXBean clock = ManagementFactory.getThreadMXBean();
        long[] times = new long[Integer.parseInt(arguments[1])];
        for (int i = -times.length; i < times.length; i++) { // the first half warms the JVM up
            long start = clock.getCurrentThreadCpuTime();
            Crops crops = Crops.of(Picture.of(argb, width, height, null), how, false);
            how.apply(crops.windows, crops.rows);
            times[Math.max(i, 0)] = clock.getCurrentThreadCpuTime() - start;
        }
        Arrays.sort(times);
        System.out.println(times[times.length / 2] / 1e6);
    }
}
