package org.scriptkd.demo;

import android.content.Context;
import android.graphics.Bitmap;
import android.graphics.BitmapFactory;
import android.graphics.Matrix;
import android.media.ExifInterface;
import android.net.Uri;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;

/** Reads a photo into an upright bitmap. */
final class Photos {
    private static final long MOST_PIXELS = 16000000; // 64 MB; larger photos are halved until they fit

    private Photos() {}

    static Bitmap open(Context context, Uri uri) throws Problem {
        try {
            BitmapFactory.Options options = new BitmapFactory.Options();
            options.inJustDecodeBounds = true;
            decode(context, uri, options);
            options.inJustDecodeBounds = false;
            options.inPreferredConfig = Bitmap.Config.ARGB_8888;
            options.inSampleSize = 1;
            while ((long) options.outWidth * options.outHeight / ((long) options.inSampleSize * options.inSampleSize)
                    > MOST_PIXELS) {
                options.inSampleSize *= 2;
            }
            Bitmap bitmap = decode(context, uri, options);
            if (bitmap == null) {
                throw new Problem(context.getString(R.string.error_photo), null);
            }
            return upright(bitmap, orientation(context, uri));
        } catch (IOException error) {
            throw new Problem(context.getString(R.string.error_photo), error);
        } catch (OutOfMemoryError error) {
            throw new Problem(context.getString(R.string.error_photo_memory), error);
        } catch (RuntimeException error) { // of whatever app the photo comes from: no permission any more, bugs
            throw new Problem(context.getString(R.string.error_photo), error);
        }
    }

    private static Bitmap decode(Context context, Uri uri, BitmapFactory.Options options) throws IOException {
        InputStream stream = stream(context, uri);
        try {
            return BitmapFactory.decodeStream(stream, null, options);
        } finally {
            stream.close();
        }
    }

    private static InputStream stream(Context context, Uri uri) throws IOException {
        InputStream stream = context.getContentResolver().openInputStream(uri);
        if (stream == null) {
            throw new FileNotFoundException(uri.toString());
        }
        return stream;
    }

    private static int orientation(Context context, Uri uri) throws IOException {
        InputStream stream = stream(context, uri);
        try {
            return new ExifInterface(stream).getAttributeInt(ExifInterface.TAG_ORIENTATION, 1);
        } catch (IOException error) {
            return 1; // EXIF is often damaged, or there is none; the picture is still good
        } finally {
            stream.close();
        }
    }

    /** Undo the rotation and mirroring that EXIF's orientation (1 to 8) names; other values are as 1. */
    private static Bitmap upright(Bitmap bitmap, int orientation) {
        Matrix matrix = new Matrix();
        if (orientation == 2 || orientation == 4 || orientation == 5 || orientation == 7) {
            matrix.postScale(-1, 1);
        }
        switch (orientation) {
            case 3:
            case 4:
                matrix.postRotate(180);
                break;
            case 6:
            case 7:
                matrix.postRotate(90);
                break;
            case 5:
            case 8:
                matrix.postRotate(270);
                break;
            default:
                break;
        }
        if (matrix.isIdentity()) {
            return bitmap;
        }
        return Bitmap.createBitmap(bitmap, 0, 0, bitmap.getWidth(), bitmap.getHeight(), matrix, false);
    }
}
