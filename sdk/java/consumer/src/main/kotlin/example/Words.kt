package example

import java.io.File
import org.scriptkd.sdk.BufferedImages
import org.scriptkd.sdk.Corners
import org.scriptkd.sdk.Options
import org.scriptkd.sdk.Region
import org.scriptkd.sdk.ScriptIdentifier

/** The words of a page, in a scan whose letters stand upright. */
fun main(files: Array<String>) {
    ScriptIdentifier.open().use { identifier ->
        val page = BufferedImages.read(File(files[0]))
        val width = page.width.toDouble()
        val height = page.height.toDouble()
        val words = listOf(
            Region(0, 0, page.width, page.height),
            Corners(0.0, 0.0, width, 0.0, width, height, 0.0, height),
            Region(-9, 0, -1, 9),
        )
        for (result in identifier.identifyRegions(page, words, Options().allow("Tamil", "Latin").upright(true))) {
            val answer = result.prediction
            val turned: Int = answer?.orientation ?: 0 // the compiler knows that it may be null
            println(answer?.let { "${it.script.name}, turned by $turned" } ?: result.error?.message)
        }
    }
}
