package org.scriptkd.demo;

import android.app.Activity;
import android.content.pm.PackageManager;
import android.graphics.Bitmap;
import android.os.Bundle;
import android.view.View;
import android.widget.TextView;
import org.scriptkd.sdk.Script;

/** The camera's picture, and the script of the word in its middle, calm over the frames. */
public final class LiveActivity extends Activity implements Camera.Listener, LiveAnswer.Listener {
    private static final int ASK = 1;
    private static final int QUARTER = 90; // degrees

    private DemoApplication application;
    private LiveAnswer answer;
    private LiveView view;
    private Camera camera; // null: not open
    private boolean asked; // for the camera; to be asked once is enough

    @Override
    protected void onCreate(Bundle state) {
        super.onCreate(state);
        setContentView(R.layout.live);
        application = (DemoApplication) getApplication();
        view = findViewById(R.id.frame);
        getActionBar().setDisplayHomeAsUpEnabled(true);
    }

    @Override
    protected void onResume() {
        super.onResume();
        if (CameraPermission.given(this)) {
            answer = new LiveAnswer(application, this);
            note(getString(R.string.live_hint));
            camera = new Camera(application, application.camera(), QUARTER * quarters(), this);
            camera.open();
        } else if (!asked) {
            asked = true;
            CameraPermission.ask(this, ASK);
        }
    }

    @SuppressWarnings("deprecation") // the one that Android 8 has
    private int quarters() {
        return getWindowManager().getDefaultDisplay().getRotation();
    }

    @Override
    protected void onPause() {
        if (camera != null) {
            camera.close();
            camera = null;
        }
        super.onPause();
    }

    @Override
    public void onRequestPermissionsResult(int request, String[] permissions, int[] results) {
        if (results.length > 0 && results[0] != PackageManager.PERMISSION_GRANTED) {
            note(getString(R.string.error_camera_permission));
        }
    }

    @Override
    public boolean onNavigateUp() {
        finish(); // back to the photo as it was
        return true;
    }

    @Override
    public void onFrame(Bitmap frame) {
        application.show(() -> {
            if (camera != null) {
                view.show(frame);
                answer.onFrame(frame);
            }
        });
    }

    @Override
    public void onProblem(String sentence) {
        application.show(() -> note(sentence));
    }

    @Override
    public void onScript(Script script, double score) {
        if (camera == null) {
            return;
        }
        String said = Texts.script(this, script);
        TextView shown = findViewById(R.id.live_script);
        if (!said.contentEquals(shown.getText())) {
            shown.setText(said); // only then, since each time it is read out
        }
        TextView share = findViewById(R.id.live_score);
        share.setText(getString(R.string.percent, 100 * score));
        share.setVisibility(script.equals(Script.UNKNOWN) ? View.INVISIBLE : View.VISIBLE);
    }

    private void note(String sentence) {
        ((TextView) findViewById(R.id.live_note)).setText(sentence);
    }
}
