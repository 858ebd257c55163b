package org.scriptkd.demo;

import android.content.ContentProvider;
import android.content.ContentValues;
import android.content.Context;
import android.database.Cursor;
import android.net.Uri;
import android.os.ParcelFileDescriptor;
import java.io.File;
import java.io.FileNotFoundException;

/** Where the camera app puts a photo: a file in this app's cache, for which no permission is needed. */
public final class PhotoProvider extends ContentProvider {
    private static final String AUTHORITY = "org.scriptkd.demo.photo";

    /** The address of a photo to be taken. */
    static Uri fresh() {
        return Uri.parse("content://" + AUTHORITY + "/photo-" + System.currentTimeMillis() + ".jpg");
    }

    /** Delete the photos taken before, except this one. */
    static void keepOnly(Context context, Uri uri) {
        File[] photos = folder(context).listFiles();
        for (File photo : photos == null ? new File[0] : photos) {
            if (!photo.getName().equals(uri.getLastPathSegment())) {
                photo.delete();
            }
        }
    }

    @Override
    public boolean onCreate() {
        return true;
    }

    @Override
    public ParcelFileDescriptor openFile(Uri uri, String mode) throws FileNotFoundException {
        String name = uri.getLastPathSegment();
        if (name == null || !name.matches("photo-[0-9]+\\.jpg")) {
            throw new FileNotFoundException(uri.toString());
        }
        folder(getContext()).mkdirs();
        return ParcelFileDescriptor.open(new File(folder(getContext()), name), ParcelFileDescriptor.parseMode(mode));
    }

    private static File folder(Context context) {
        return new File(context.getCacheDir(), "photos");
    }

    @Override
    public String getType(Uri uri) {
        return "image/jpeg";
    }

    @Override
    public Cursor query(Uri uri, String[] columns, String selection, String[] arguments, String order) {
        return null;
    }

    @Override
    public Uri insert(Uri uri, ContentValues values) {
        throw new UnsupportedOperationException("photos are written through openFile");
    }

    @Override
    public int update(Uri uri, ContentValues values, String selection, String[] arguments) {
        throw new UnsupportedOperationException("photos are written through openFile");
    }

    @Override
    public int delete(Uri uri, String selection, String[] arguments) {
        throw new UnsupportedOperationException("photos are deleted by the app itself");
    }
}
