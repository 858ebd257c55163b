package org.scriptkd.sdk;

import java.io.BufferedInputStream;
import java.io.DataInputStream;
import java.io.File;
import java.io.FileInputStream;
import java.util.Base64;

/**
 * What the Java SDK does with pictures: MODEL PICTURES, a line of JSON for each.
 *
 * <p>PICTURES holds 32-bit numbers, the highest byte first: for each picture its width, its height, whether it is upright,
 * and its pixels. It lies in the SDK's package for the sake of the network's inputs, which the SDK shows to nobody.
 */
class Probe {
    public static void main(String[] arguments) throws Exception {
        try (ScriptIdentifier identifier = ScriptIdentifier.open(new File(arguments[0]));
                DataInputStream pictures =
                        new DataInputStream(new BufferedInputStream(new FileInputStream(arguments[1])))) {
            while (pictures.available() > 0) {
                int width = pictures.readInt();
                int height = pictures.readInt();
                boolean upright = pictures.readInt() == 1;
                int[] argb = new int[width * height];
                for (int i = 0; i < argb.length; i++) {
                    argb[i] = pictures.readInt();
                }
                System.out.println(describe(identifier, argb, width, height, upright));
            }
        }
    }

    private static String describe(ScriptIdentifier identifier, int[] argb, int width, int height, boolean upright) {
        Prediction answer = identifier.identify(argb, width, height, null, upright);
        StringBuilder line = new StringBuilder();
        line.append("{\"script\": \"").append(answer.script.name).append("\", \"code\": \"").append(answer.script.code);
        line.append("\", \"orientation\": ").append(answer.orientation);
        line.append(", \"orientation_score\": ").append(answer.orientationScore);
        line.append(", \"shares\": ").append(object(answer.shares)).append(", \"scores\": ").append(object(answer.scores));
        Picture picture = Picture.of(argb, width, height, null);
        if (identifier.info().anySize) {
            line.append(", \"image\": \"").append(base64(picture.interleaved())).append('"');
        } else {
            Preprocessing how = identifier.info().preprocessing;
            Crops crops = Crops.of(picture, how, upright);
            line.append(", \"turned\": ").append(crops.turned).append(", \"rows\": ").append(crops.rows);
            line.append(", \"windows\": ").append(crops.windows.length);
            line.append(", \"inputs\": \"").append(base64(how.apply(crops.windows, crops.rows))).append('"');
        }
        return line.append('}').toString();
    }

    private static String object(Iterable<Score> scores) {
        StringBuilder text = new StringBuilder();
        for (Score each : scores) {
            text.append(text.length() == 0 ? "{\"" : ", \"").append(each.script.name).append("\": ").append(each.value);
        }
        return text.append('}').toString();
    }

    private static String base64(byte[] bytes) {
        return Base64.getEncoder().encodeToString(bytes);
    }
}
