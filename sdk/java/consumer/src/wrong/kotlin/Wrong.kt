import org.scriptkd.sdk.Options
import org.scriptkd.sdk.Pixels
import org.scriptkd.sdk.Prediction
import org.scriptkd.sdk.ScriptIdentifier

// Kotlin refuses both: the orientation may be null, and an image may not.
fun half(answer: Prediction): Int = answer.orientation + 180

fun nothing(identifier: ScriptIdentifier, image: Pixels?): Prediction = identifier.identify(image, null, Options())
