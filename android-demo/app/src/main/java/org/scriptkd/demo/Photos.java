package org.scriptkd.demo;

import android.content.Context;
import android.graphics.Bitmap;
import android.graphics.BitmapFactory;
import android.media.ExifInterface;
import android.net.Uri;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import org.scriptkd.sdk.Bitmaps;

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
            return Bitmaps.upright(bitmap, orientation(context, uri));
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
}
