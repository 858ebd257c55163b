package org.scriptkd.demo;

import android.content.Context;
import android.util.AttributeSet;
import android.view.View;
import android.widget.LinearLayout;

/** Buttons side by side; one below the other where letters are so large that words would be cut. */
public final class ButtonRow extends LinearLayout {
    private static final float LARGE = 1.3f; // of the letters' usual size

    public ButtonRow(Context context, AttributeSet attributes) {
        super(context, attributes);
    }

    @Override
    protected void onFinishInflate() {
        super.onFinishInflate();
        if (getResources().getConfiguration().fontScale >= LARGE) {
            setOrientation(VERTICAL);
            for (int i = 0; i < getChildCount(); i++) {
                View button = getChildAt(i);
                button.setLayoutParams(new LayoutParams(LayoutParams.MATCH_PARENT, LayoutParams.WRAP_CONTENT));
            }
        }
    }
}
