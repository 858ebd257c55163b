package org.scriptkd.demo;

import android.app.Activity;
import android.content.ActivityNotFoundException;
import android.content.Intent;
import android.os.Bundle;
import android.view.View;
import android.view.WindowManager;
import android.widget.Button;
import android.widget.TextView;

/** Runs the benchmark on this phone and shares its result. */
public final class BenchmarkActivity extends Activity implements View.OnClickListener {
    private DemoApplication application;
    private Benchmark running; // null: none
    private String json; // null: no result yet

    @Override
    protected void onCreate(Bundle state) {
        super.onCreate(state);
        setContentView(R.layout.benchmark);
        application = (DemoApplication) getApplication();
        getActionBar().setDisplayHomeAsUpEnabled(true);
        String threads = Models.threadCounts(Runtime.getRuntime().availableProcessors()).toString();
        text(R.id.about).setText(getString(R.string.benchmark_about, Benchmark.WIDTH, Benchmark.HEIGHT,
                threads.substring(1, threads.length() - 1)));
        findViewById(R.id.start).setOnClickListener(this);
        findViewById(R.id.share).setOnClickListener(this);
        if (Models.names(this).isEmpty()) {
            findViewById(R.id.start).setEnabled(false);
            text(R.id.progress).setText(R.string.benchmark_no_models);
        }
        if (state != null && state.getString("json") != null) {
            showEnd(text(R.id.progress).getText().toString(), state.getString("json"));
            text(R.id.results).setText(state.getString("rows"));
        }
    }

    @Override
    protected void onSaveInstanceState(Bundle state) {
        super.onSaveInstanceState(state);
        state.putString("json", json);
        state.putString("rows", text(R.id.results).getText().toString());
    }

    @Override
    protected void onDestroy() {
        if (running != null) {
            running.stop();
        }
        super.onDestroy();
    }

    @Override
    public boolean onNavigateUp() {
        finish(); // back to the photo as it was
        return true;
    }

    @Override
    public void onClick(View button) {
        if (button.getId() == R.id.share) {
            share();
        } else if (running != null) {
            running.stop();
        } else {
            start();
        }
    }

    private void start() {
        json = null;
        findViewById(R.id.share).setEnabled(false);
        text(R.id.results).setText("");
        ((Button) findViewById(R.id.start)).setText(R.string.benchmark_stop);
        getWindow().addFlags(WindowManager.LayoutParams.FLAG_KEEP_SCREEN_ON); // a sleeping phone is slower
        running = new Benchmark(application, new Benchmark.Listener() {
            @Override
            public void onStart(final String model, final int threads, final int number, final int count) {
                show(new Runnable() {
                    @Override
                    public void run() {
                        text(R.id.progress)
                                .setText(getString(R.string.benchmark_running, model, threads, number, count));
                    }
                });
            }

            @Override
            public void onResult(final String row) {
                show(new Runnable() {
                    @Override
                    public void run() {
                        text(R.id.results).append(row + "\n\n");
                    }
                });
            }

            @Override
            public void onEnd(final boolean stopped, final String result) {
                show(new Runnable() {
                    @Override
                    public void run() {
                        showEnd(getString(stopped ? R.string.benchmark_stopped : R.string.benchmark_done), result);
                    }
                });
            }
        });
        application.work(running);
    }

    /** On the screen's thread, unless the screen is gone. */
    private void show(final Runnable task) {
        application.show(new Runnable() {
            @Override
            public void run() {
                if (!isDestroyed()) {
                    task.run();
                }
            }
        });
    }

    private void showEnd(String sentence, String result) {
        running = null;
        json = result;
        getWindow().clearFlags(WindowManager.LayoutParams.FLAG_KEEP_SCREEN_ON);
        text(R.id.progress).setText(sentence);
        ((Button) findViewById(R.id.start)).setText(R.string.benchmark_start);
        findViewById(R.id.share).setEnabled(true);
    }

    private void share() {
        Intent send = new Intent(Intent.ACTION_SEND).setType("text/plain");
        send.putExtra(Intent.EXTRA_SUBJECT, getString(R.string.benchmark_subject)).putExtra(Intent.EXTRA_TEXT, json);
        try {
            startActivity(Intent.createChooser(send, getString(R.string.benchmark_share)));
        } catch (ActivityNotFoundException error) {
            text(R.id.progress).setText(R.string.error_share);
        }
    }

    private TextView text(int view) {
        return findViewById(view);
    }
}
