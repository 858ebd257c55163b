package org.scriptkd.demo;

import android.Manifest;
import android.app.Activity;
import android.content.pm.PackageManager;

/** The user's leave to use the camera, the only one that the app asks for, and only when a camera is wanted. */
final class CameraPermission {
    private CameraPermission() {}

    static boolean given(Activity activity) {
        return activity.checkSelfPermission(Manifest.permission.CAMERA) == PackageManager.PERMISSION_GRANTED;
    }

    /** The answer comes to onRequestPermissionsResult. */
    static void ask(Activity activity, int request) {
        activity.requestPermissions(new String[] {Manifest.permission.CAMERA}, request);
    }
}
