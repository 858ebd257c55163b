package org.scriptkd.demo;

import android.app.Activity;
import android.content.ActivityNotFoundException;
import android.content.ClipData;
import android.content.Intent;
import android.graphics.Bitmap;
import android.net.Uri;
import android.os.Bundle;
import android.provider.MediaStore;
import android.view.View;
import android.widget.ProgressBar;
import android.widget.TextView;
import java.util.List;
import org.scriptkd.sdk.Prediction;
import org.scriptkd.sdk.Region;
import org.scriptkd.sdk.Score;
import org.scriptkd.sdk.ScriptIdentifier;
import org.scriptkd.sdk.ScriptkdException;

/** Pick or take a photo, drag a box around a word, see its script. */
public final class MainActivity extends Activity implements WordView.Listener, View.OnClickListener {
    private static final int PICK = 1;
    private static final int TAKE = 2;
    private static final int[] BARS = {R.id.bar1, R.id.bar2, R.id.bar3};

    private DemoApplication application;
    private WordView word;
    private Uri uri; // of the photo shown
    private Uri taking; // of the photo that the camera app was asked for
    private Bitmap photo;
    private Region box;
    private Prediction shown; // the answer on the screen
    private int latest; // number of the newest question: answers to older ones are not shown

    @Override
    protected void onCreate(Bundle state) {
        super.onCreate(state);
        setContentView(R.layout.main);
        application = (DemoApplication) getApplication();
        word = findViewById(R.id.word);
        word.setListener(this);
        for (int button : new int[] {R.id.pick, R.id.take, R.id.whole, R.id.benchmark, R.id.turn}) {
            findViewById(button).setOnClickListener(this);
        }
        if (state != null) {
            taking = state.getParcelable("taking");
            Uri photoUri = state.getParcelable("uri");
            int[] sides = state.getIntArray("box");
            if (photoUri != null) {
                open(photoUri, sides == null ? null : new Region(sides[0], sides[1], sides[2], sides[3]),
                        state.getInt("turned"));
            }
        }
    }

    @Override
    protected void onSaveInstanceState(Bundle state) {
        super.onSaveInstanceState(state);
        state.putParcelable("taking", taking);
        state.putParcelable("uri", uri);
        state.putInt("turned", word.turned());
        if (box != null) {
            state.putIntArray("box", new int[] {box.left, box.top, box.right, box.bottom});
        }
    }

    @Override
    protected void onDestroy() {
        latest++; // nobody waits for an answer any more
        super.onDestroy();
    }

    @Override
    public void onClick(View button) {
        int id = button.getId();
        if (id == R.id.pick) {
            Intent intent = new Intent(Intent.ACTION_GET_CONTENT).setType("image/*");
            start(intent.addCategory(Intent.CATEGORY_OPENABLE), PICK, R.string.error_picker);
        } else if (id == R.id.take) {
            taking = PhotoProvider.fresh();
            Intent intent = new Intent(MediaStore.ACTION_IMAGE_CAPTURE).putExtra(MediaStore.EXTRA_OUTPUT, taking);
            intent.setClipData(ClipData.newRawUri("", taking));
            intent.addFlags(Intent.FLAG_GRANT_READ_URI_PERMISSION | Intent.FLAG_GRANT_WRITE_URI_PERMISSION);
            start(intent, TAKE, R.string.error_camera);
        } else if (id == R.id.whole && photo != null) {
            word.setBox(null);
            identify(new Region(0, 0, photo.getWidth(), photo.getHeight()));
        } else if (id == R.id.turn && shown != null) {
            word.setTurned(seen(shown) == null || seen(shown) == 0 ? 0 : shown.orientation);
            showOrientation(shown);
        } else if (id == R.id.benchmark) {
            startActivity(new Intent(this, BenchmarkActivity.class));
        }
    }

    private void start(Intent intent, int request, int problem) {
        try {
            startActivityForResult(intent, request);
        } catch (ActivityNotFoundException | SecurityException error) {
            showProblem(getString(problem));
        }
    }

    @Override
    protected void onActivityResult(int request, int result, Intent data) {
        if (result != RESULT_OK) {
            return; // the user went back
        }
        if (request == PICK && data != null && data.getData() != null) {
            open(data.getData(), null, 0);
        } else if (request == TAKE && taking != null) {
            open(taking, null, 0);
        }
    }

    @Override
    public void onBox(Region dragged) {
        if (dragged == null) {
            box = null;
            latest++;
            showProblem(getString(R.string.error_box));
        } else {
            identify(dragged);
        }
    }

    /** Show a photo, turned counterclockwise by so many degrees, and then this box's script. */
    private void open(final Uri wanted, final Region then, final int turned) {
        final int question = ++latest;
        final DemoApplication background = application;
        showStatus(getString(R.string.opening));
        background.work(new Runnable() {
            @Override
            public void run() {
                Bitmap found = null;
                String problem = null;
                try {
                    found = Photos.open(background, wanted);
                } catch (Problem error) {
                    problem = error.getMessage();
                }
                final Bitmap bitmap = found;
                final String message = problem;
                background.show(new Runnable() {
                    @Override
                    public void run() {
                        if (question == latest) {
                            opened(wanted, bitmap, message, then, turned);
                        }
                    }
                });
            }
        });
    }

    private void opened(Uri wanted, Bitmap bitmap, String problem, Region then, int turned) {
        if (bitmap == null) {
            showProblem(problem); // and the photo before stays
            return;
        }
        uri = wanted;
        photo = bitmap;
        box = null;
        word.setPhoto(bitmap);
        word.setTurned(turned);
        findViewById(R.id.whole).setEnabled(true);
        PhotoProvider.keepOnly(this, wanted);
        if (then != null && then.right <= bitmap.getWidth() && then.bottom <= bitmap.getHeight()) {
            word.setBox(then);
            identify(then);
        } else {
            showStatus(getString(R.string.hint_box));
        }
    }

    private void identify(final Region region) {
        box = region;
        final int question = ++latest;
        final Bitmap bitmap = photo;
        final DemoApplication background = application;
        background.work(new Runnable() {
            @Override
            public void run() {
                Answer found = null;
                String problem = null;
                try {
                    found = answer(background.identifier(), bitmap, region);
                } catch (Problem error) {
                    problem = error.getMessage();
                } catch (ScriptkdException error) {
                    problem = background.getString(R.string.error_image, error.getMessage());
                } catch (OutOfMemoryError error) {
                    problem = background.getString(R.string.error_photo_memory);
                }
                final Answer answer = found;
                final String message = problem;
                background.show(new Runnable() {
                    @Override
                    public void run() {
                        if (question != latest) {
                            return;
                        }
                        if (answer == null) {
                            showProblem(message);
                        } else {
                            showAnswer(answer);
                        }
                    }
                });
            }
        });
    }

    private static final class Answer {
        Prediction prediction;
        double milliseconds;
        int width;
        int height;
    }

    private static Answer answer(ScriptIdentifier identifier, Bitmap bitmap, Region region) {
        Answer answer = new Answer();
        answer.width = region.right - region.left;
        answer.height = region.bottom - region.top;
        int[] pixels = new int[answer.width * answer.height];
        bitmap.getPixels(pixels, 0, answer.width, region.left, region.top, answer.width, answer.height);
        long start = System.nanoTime();
        answer.prediction = identifier.identify(pixels, answer.width, answer.height);
        answer.milliseconds = (System.nanoTime() - start) / 1e6;
        return answer;
    }

    private void showAnswer(Answer answer) {
        Prediction prediction = answer.prediction;
        findViewById(R.id.status).setVisibility(View.GONE);
        findViewById(R.id.answer).setVisibility(View.VISIBLE);
        text(R.id.script, prediction.known()
                ? getString(R.string.script, prediction.script.name, prediction.script.code)
                : getString(R.string.unknown));
        text(R.id.unsure, getString(R.string.unsure, prediction.best.name, 100 * prediction.threshold));
        findViewById(R.id.unsure).setVisibility(prediction.known() ? View.GONE : View.VISIBLE);
        showOrientation(prediction);
        List<Score> top = prediction.top(BARS.length);
        for (int i = 0; i < BARS.length; i++) {
            View bar = findViewById(BARS[i]);
            bar.setVisibility(i < top.size() ? View.VISIBLE : View.GONE);
            if (i < top.size()) {
                showBar(bar, top.get(i));
            }
        }
        text(R.id.latency, getString(R.string.latency, answer.milliseconds, answer.width, answer.height));
    }

    /** Which way up the letters are on the screen, and a button that turns the photo so that they are upright. */
    private void showOrientation(Prediction prediction) {
        shown = prediction;
        Integer degrees = seen(prediction);
        boolean turnable = degrees != null && degrees != 0;
        if (degrees == null) {
            text(R.id.orientation, getString(R.string.orientation_unsure));
        } else {
            text(R.id.orientation,
                    turnable ? getString(R.string.orientation_turned, degrees) : getString(R.string.orientation_upright));
        }
        boolean told = prediction.orientationScore != null; // models of the older formats say nothing of it
        findViewById(R.id.orientation).setVisibility(told ? View.VISIBLE : View.GONE);
        text(R.id.turn, getString(turnable ? R.string.turn_upright : R.string.turn_back));
        findViewById(R.id.turn).setVisibility(turnable || word.turned() != 0 ? View.VISIBLE : View.GONE);
    }

    /** By how many degrees the letters are turned clockwise on the screen; null where there is no telling. */
    private Integer seen(Prediction prediction) {
        return prediction.orientation == null ? null : (Integer) ((prediction.orientation - word.turned() + 360) % 360);
    }

    private void showBar(View bar, Score score) {
        ((TextView) bar.findViewById(R.id.bar_name)).setText(score.script.name);
        ((ProgressBar) bar.findViewById(R.id.bar_value)).setProgress((int) Math.round(1000 * score.value));
        ((TextView) bar.findViewById(R.id.bar_percent)).setText(getString(R.string.percent, 100 * score.value));
        bar.setContentDescription(getString(R.string.bar, score.script.name, 100 * score.value));
    }

    /** A sentence instead of an answer; the app goes on. */
    private void showProblem(String sentence) {
        showStatus(sentence);
    }

    private void showStatus(String sentence) {
        findViewById(R.id.answer).setVisibility(View.GONE);
        findViewById(R.id.status).setVisibility(View.VISIBLE);
        text(R.id.status, sentence);
    }

    private void text(int view, String text) {
        ((TextView) findViewById(view)).setText(text);
    }
}
