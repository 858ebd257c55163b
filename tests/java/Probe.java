import java.awt.image.BufferedImage;
import java.io.File;
import javax.imageio.ImageIO;
import org.scriptkd.sdk.Prediction;
import org.scriptkd.sdk.Score;
import org.scriptkd.sdk.ScriptIdentifier;

/** Prints what the Java SDK answers to colour images: MODEL IMAGE..., a line for each image. */
class Probe {
    public static void main(String[] arguments) throws Exception {
        try (ScriptIdentifier identifier = ScriptIdentifier.open(new File(arguments[0]))) {
            for (int i = 1; i < arguments.length; i++) {
                BufferedImage image = ImageIO.read(new File(arguments[i]));
                int width = image.getWidth();
                int height = image.getHeight();
                int[] argb = image.getRGB(0, 0, width, height, null, 0, width);
                Prediction answer = identifier.identify(argb, width, height);
                StringBuilder line = new StringBuilder(answer.script.name + " " + answer.script.code);
                for (Score score : answer.scores) {
                    line.append(' ').append(score.script.name).append('=').append(score.value);
                }
                System.out.println(line);
            }
        }
    }
}
