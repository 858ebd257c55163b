package org.scriptkd.sdk;

import java.io.File;

/** The words that the Java SDK finds: DETECTOR MODEL PICTURE, a line of JSON for each word. */
class FindWords {
    public static void main(String[] arguments) {
        try (TextDetector detector = TextDetector.open(new File(arguments[0]));
                ScriptIdentifier identifier = ScriptIdentifier.open(new File(arguments[1]))) {
            for (Word word : identifier.findWords(detector, BufferedImages.read(new File(arguments[2])))) {
                String corners = word.box.corners.toString().replace('(', '[').replace(')', ']');
                System.out.printf("{\"corners\": %s, \"score\": %s, \"script\": \"%s\", \"orientation\": %s}%n",
                        corners, word.box.score, word.prediction.script.name, word.prediction.orientation);
            }
        }
    }
}
