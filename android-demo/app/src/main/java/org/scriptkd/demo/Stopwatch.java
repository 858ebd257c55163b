package org.scriptkd.demo;

/** Times pieces of work of one kind. The first is done twice, and only its second time is told: the first was cold. */
final class Stopwatch {
    private boolean warm;

    /** Milliseconds that this work takes where such work was done before. */
    double time(Runnable work) {
        if (!warm) {
            work.run();
            warm = true;
        }
        long start = System.nanoTime();
        work.run();
        return (System.nanoTime() - start) / 1e6;
    }
}
