package org.scriptkd.demo;

import ai.onnxruntime.OrtEnvironment;
import android.content.Context;
import android.os.Build;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.List;
import org.json.JSONArray;
import org.json.JSONException;
import org.json.JSONObject;
import org.scriptkd.sdk.ScriptIdentifier;
import org.scriptkd.sdk.ScriptkdException;

/**
 * Times each bundled model at each number of threads: whole identify calls, from pixels to an answer. The JSON has the
 * form of `scriptkd bench`, so that `scriptkd bench compare` puts two phones, or a phone and a computer, side by side.
 */
final class Benchmark implements Runnable {
    static final int WIDTH = 120; // of the image, in pixels: a word of a photographed sign
    static final int HEIGHT = 40;
    private static final int WARM_UPS = 10;
    private static final int RUNS = 300;
    private static final long LONGEST = 4000000000L; // ns for the runs of one measurement: large networks get fewer

    /** Hears of the measurements, on the benchmark's thread. */
    interface Listener {
        void onStart(String model, int threads, int number, int count);

        void onResult(String row);

        /** All are done, or it was stopped; the results so far. */
        void onEnd(boolean stopped, String json);
    }

    private final Context context;
    private final Listener listener;
    private volatile boolean stopped;

    Benchmark(Context context, Listener listener) {
        this.context = context;
        this.listener = listener;
    }

    void stop() {
        stopped = true;
    }

    @Override
    public void run() {
        JSONArray results = new JSONArray();
        List<String> models = Models.names(context);
        List<Integer> counts = Models.threadCounts(Runtime.getRuntime().availableProcessors());
        int number = 0;
        for (String model : models) {
            for (int threads : counts) {
                if (stopped) {
                    break;
                }
                listener.onStart(model, threads, ++number, models.size() * counts.size());
                try {
                    results.put(measure(model, threads));
                } catch (Problem | ScriptkdException error) {
                    listener.onResult(context.getString(R.string.benchmark_row_failed, model, error.getMessage()));
                } catch (JSONException error) {
                    throw new IllegalStateException(error); // a measured time is a finite number
                }
            }
        }
        try {
            listener.onEnd(stopped, describe(results).toString(2));
        } catch (JSONException error) {
            throw new IllegalStateException(error);
        }
    }

    private JSONObject measure(String name, int threads) throws Problem, JSONException {
        byte[] model = Models.read(context, name);
        int[] image = image();
        long[] times = new long[RUNS];
        int runs = 0;
        ScriptIdentifier identifier = Models.open(context, model, name, threads);
        try {
            for (int i = 0; i < WARM_UPS && !stopped; i++) {
                identifier.identify(image, WIDTH, HEIGHT);
            }
            long start = System.nanoTime();
            do {
                long before = System.nanoTime();
                identifier.identify(image, WIDTH, HEIGHT);
                times[runs++] = System.nanoTime() - before;
            } while (runs < RUNS && !stopped && System.nanoTime() - start < LONGEST);
        } finally {
            identifier.close();
        }
        Timing timing = new Timing(times, runs);
        listener.onResult(context.getString(R.string.benchmark_row, name, identifier.info().precision, threads,
                timing.p50, timing.p95, timing.runs));
        return new JSONObject()
                .put("model", name.substring(0, name.length() - ".onnx".length()))
                .put("precision", identifier.info().precision)
                .put("threads", threads)
                .put("run", new JSONObject().put("p50", timing.p50).put("p95", timing.p95)) // ms
                .put("runs", timing.runs)
                .put("network", identifier.info().network)
                .put("bytes", model.length)
                .put("sha256", sha256(model));
    }

    private JSONObject describe(JSONArray results) throws JSONException {
        String chip = Build.HARDWARE;
        if (Build.VERSION.SDK_INT >= 31) {
            chip = Build.SOC_MANUFACTURER + " " + Build.SOC_MODEL;
        }
        JSONObject facts = new JSONObject()
                .put("measured", "whole identify calls in the Android demo, not bare runs of the network")
                .put("image", WIDTH + "x" + HEIGHT)
                .put("device", Build.MANUFACTURER + " " + Build.MODEL)
                .put("processor", chip + ", " + Build.SUPPORTED_ABIS[0])
                .put("cores", Runtime.getRuntime().availableProcessors())
                .put("system", "Android " + Build.VERSION.RELEASE)
                .put("onnxruntime", runtimeVersion());
        return new JSONObject().put("facts", facts).put("rows", new JSONArray()).put("device", results);
    }

    private static String runtimeVersion() {
        try {
            return OrtEnvironment.getEnvironment().getVersion();
        } catch (LinkageError error) {
            return "missing";
        }
    }

    /** Strokes on white: the time hangs on the size, not on what is shown. */
    private static int[] image() {
        int[] pixels = new int[WIDTH * HEIGHT];
        for (int i = 0; i < pixels.length; i++) {
            pixels[i] = i % WIDTH % 9 < 3 ? 0xFF202020 : 0xFFF0F0F0;
        }
        return pixels;
    }

    private static String sha256(byte[] content) {
        try {
            StringBuilder text = new StringBuilder();
            for (byte each : MessageDigest.getInstance("SHA-256").digest(content)) {
                text.append(Character.forDigit(each >> 4 & 15, 16)).append(Character.forDigit(each & 15, 16));
            }
            return text.toString();
        } catch (NoSuchAlgorithmException error) {
            throw new IllegalStateException(error); // every Android has it
        }
    }
}
