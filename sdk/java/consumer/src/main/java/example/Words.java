package example;

import java.io.File;
import java.util.ArrayList;
import java.util.List;
import org.scriptkd.sdk.BufferedImages;
import org.scriptkd.sdk.Options;
import org.scriptkd.sdk.Pixels;
import org.scriptkd.sdk.Prediction;
import org.scriptkd.sdk.Region;
import org.scriptkd.sdk.Result;
import org.scriptkd.sdk.ScriptIdentifier;

/** Prints the script of each image file. */
public final class Words {
    private Words() {}

    public static void main(String[] files) {
        List<Pixels> images = new ArrayList<Pixels>();
        for (String file : files) {
            images.add(BufferedImages.read(new File(file)));
        }
        try (ScriptIdentifier identifier = ScriptIdentifier.open()) {
            for (Result result : identifier.identifyBatch(images)) {
                System.out.println(result.get().script);
            }
            Pixels first = images.get(0);
            Region whole = new Region(0, 0, first.width, first.height);
            Prediction answer = identifier.identify(first, whole, new Options().deny("Tamil").threshold(0));
            System.out.println("not Tamil: " + !answer.script.name.equals("Tamil"));
        }
    }
}
