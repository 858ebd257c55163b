package org.scriptkd.demo;

import android.app.Activity;
import android.content.ActivityNotFoundException;
import android.content.ClipData;
import android.content.Intent;
import android.content.pm.PackageManager;
import android.graphics.Bitmap;
import android.net.Uri;
import android.os.Bundle;
import android.provider.MediaStore;
import android.view.View;
import android.widget.TextView;
import java.util.List;
import org.scriptkd.sdk.Region;
import org.scriptkd.sdk.TextBox;

/** Pick or take a photo, mark words on it, see their scripts. */
public final class MainActivity extends Activity implements WordView.Listener, View.OnClickListener {
    private static final int PICK = 1;
    private static final int TAKE = 2;
    private static final int[] BUTTONS = {R.id.pick, R.id.take, R.id.live, R.id.whole, R.id.benchmark, R.id.turn,
        R.id.act_zoom_in, R.id.act_zoom_out, R.id.act_new, R.id.act_next, R.id.act_remove};

    private PhotoOpener opener;
    private WordAsker asker;
    private WordSearch search;
    private AnswerPanel panel;
    private FoundPanel found;
    private WordView word;
    private Uri uri; // of the photo shown
    private Uri taking; // of the photo that the camera app was asked for
    private Bitmap photo;
    private boolean searched; // the photo's words were found, or there are none

    @Override
    protected void onCreate(Bundle state) {
        super.onCreate(state);
        setContentView(R.layout.main);
        opener = new PhotoOpener((DemoApplication) getApplication());
        asker = new WordAsker((DemoApplication) getApplication(), this::answered);
        search = new WordSearch((DemoApplication) getApplication());
        panel = new AnswerPanel(this);
        found = new FoundPanel(this);
        word = findViewById(R.id.word);
        word.setListener(this);
        for (int button : BUTTONS) {
            findViewById(button).setOnClickListener(this);
        }
        enableButtons();
        if (state != null) {
            taking = state.getParcelable("taking");
            Uri photoUri = state.getParcelable("uri");
            if (photoUri != null) {
                open(photoUri, state);
            }
        }
    }

    @Override
    protected void onSaveInstanceState(Bundle state) {
        super.onSaveInstanceState(state);
        state.putParcelable("taking", taking);
        state.putParcelable("uri", uri);
        state.putInt("turned", word.turned());
        state.putInt("chosen", word.words().number(word.words().chosen()));
        state.putIntArray("boxes", word.words().sides());
        state.putDoubleArray("corners", word.words().corners());
        state.putBoolean("searched", searched);
    }

    @Override
    protected void onDestroy() {
        opener.stop();
        search.stop();
        word.words().clear();
        super.onDestroy();
    }

    @Override
    public void onClick(View button) {
        int id = button.getId();
        Word chosen = word.words().chosen();
        if (id == R.id.pick) {
            Intent intent = new Intent(Intent.ACTION_GET_CONTENT).setType("image/*");
            start(intent.addCategory(Intent.CATEGORY_OPENABLE), PICK, R.string.error_picker);
        } else if (id == R.id.take) {
            take();
        } else if (id == R.id.live) {
            startActivity(new Intent(this, LiveActivity.class));
        } else if (id == R.id.whole) {
            word.mark(new Region(0, 0, photo.getWidth(), photo.getHeight()));
        } else if (id == R.id.benchmark) {
            startActivity(new Intent(this, BenchmarkActivity.class));
        } else if (id == R.id.turn && chosen != null && chosen.answer != null) {
            Integer seen = AnswerPanel.seen(chosen.answer.prediction, word.turned());
            word.setTurned(seen == null || seen == 0 ? 0 : chosen.answer.prediction.orientation);
            onChosen();
        } else if (Act.withId(id) != null) {
            word.perform(Act.withId(id));
        }
    }

    /** By the camera app. Android lets an app that may ask for the camera do so only once it has the user's leave. */
    private void take() {
        if (!CameraPermission.given(this)) {
            CameraPermission.ask(this, TAKE);
            return;
        }
        taking = PhotoProvider.fresh();
        Intent intent = new Intent(MediaStore.ACTION_IMAGE_CAPTURE).putExtra(MediaStore.EXTRA_OUTPUT, taking);
        intent.setClipData(ClipData.newRawUri("", taking));
        intent.addFlags(Intent.FLAG_GRANT_READ_URI_PERMISSION | Intent.FLAG_GRANT_WRITE_URI_PERMISSION);
        start(intent, TAKE, R.string.error_camera);
    }

    @Override
    public void onRequestPermissionsResult(int request, String[] permissions, int[] results) {
        if (results.length > 0 && results[0] == PackageManager.PERMISSION_GRANTED) {
            take();
        } else if (results.length > 0) { // none: the question was interrupted
            showNote(getString(R.string.error_camera_permission));
        }
    }

    private void start(Intent intent, int request, int problem) {
        try {
            startActivityForResult(intent, request);
        } catch (ActivityNotFoundException | SecurityException error) {
            showNote(getString(problem));
        }
    }

    @Override
    protected void onActivityResult(int request, int result, Intent data) {
        if (result != RESULT_OK) {
            return; // the user went back
        }
        if (request == PICK && data != null && data.getData() != null) {
            open(data.getData(), null);
        } else if (request == TAKE && taking != null) {
            open(taking, null);
        }
    }

    /** Show a photo, with the boxes of a saved state; null: as a new one. */
    private void open(Uri wanted, Bundle state) {
        showNote(getString(R.string.opening));
        opener.open(wanted, new PhotoOpener.Listener() {
            @Override
            public void onPhoto(Bitmap opened) {
                uri = wanted;
                photo = opened;
                word.setPhoto(opened);
                PhotoProvider.keepOnly(MainActivity.this, wanted);
                found.hide();
                searched = state != null && state.getBoolean("searched");
                if (state != null) {
                    word.setTurned(state.getInt("turned"));
                    ask(word.restore(state.getIntArray("boxes"), state.getDoubleArray("corners"), state.getInt("chosen")));
                }
                if (!searched && Models.hasDetector(MainActivity.this)) {
                    search();
                }
                onChosen();
            }

            @Override
            public void onProblem(String sentence) {
                showNote(sentence); // and the photo before stays, with its answers
            }
        });
    }

    /** Look for the photo's words. Boxes can be drawn meanwhile. */
    private void search() {
        found.looking();
        search.start(photo, new WordSearch.Listener() {
            @Override
            public void onWords(List<TextBox> boxes) {
                searched = true;
                ask(word.addFound(boxes));
                if (boxes.isEmpty()) {
                    found.say(getString(R.string.found_none));
                }
                onChosen();
            }

            @Override
            public void onProblem(String sentence) {
                found.say(sentence); // and boxes can be drawn by hand
            }
        });
    }

    private void ask(List<Word> words) {
        for (Word each : words) {
            asker.ask(photo, each);
        }
    }

    @Override
    public void onBox(Word asked) {
        asker.ask(photo, asked);
        onChosen();
    }

    @Override
    public void onChosen() {
        Word chosen = word.words().chosen();
        enableButtons();
        found.show(word.words().found());
        if (chosen == null) {
            panel.hide();
            showNote(found.speaks() ? "" : getString(R.string.hint_box));
        } else if (chosen.answer == null) {
            panel.hide();
            showNote(chosen.problem == null ? "" : chosen.problem);
        } else {
            showNote("");
            panel.show(chosen.answer, word.words().number(chosen), word.words().all().size(), word.turned());
        }
    }

    @Override
    public void onNothing() {
        showNote(getString(R.string.error_box)); // and the last answer stays
    }

    private void answered(Word asked) {
        word.answered();
        if (asked == word.words().chosen()) {
            onChosen();
        } else {
            found.show(word.words().found());
        }
    }

    private void enableButtons() {
        boolean any = photo != null && word.words().chosen() != null;
        for (int id : new int[] {R.id.whole, R.id.act_new, R.id.act_zoom_in, R.id.act_zoom_out, R.id.act_next}) {
            findViewById(id).setEnabled(photo != null);
        }
        findViewById(R.id.act_remove).setEnabled(any);
    }

    /** A sentence above the answer, if there is one, which stays. */
    private void showNote(String sentence) {
        TextView status = findViewById(R.id.status);
        status.setVisibility(sentence.isEmpty() ? View.GONE : View.VISIBLE);
        status.setText(sentence);
    }
}
