package org.scriptkd.sdk;

import java.awt.image.BufferedImage;
import java.awt.image.ComponentColorModel;
import java.awt.image.DataBuffer;
import java.awt.image.Raster;
import java.io.ByteArrayInputStream;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import javax.imageio.ImageIO;

/** Reads images of Java's desktop classes, which Android lacks, into the pixels that all SDKs use. */
public final class BufferedImages {
    private BufferedImages() {}

    /**
     * Reads an image file of a format that ImageIO knows, and applies EXIF's orientation, which ImageIO ignores.
     *
     * @throws ImageException for a file that is missing or broken, or of a format that ImageIO does not know
     */
    public static Pixels read(File file) {
        Arguments.given(file, "file");
        byte[] content;
        try {
            content = Files.readAllBytes(file.toPath());
        } catch (IOException error) {
            throw new ImageException(file + ": " + (file.isDirectory() ? "a folder, not an image" : "cannot be read"));
        }
        try {
            return read(content);
        } catch (ImageException error) {
            throw new ImageException(file + ": " + error.getMessage());
        }
    }

    /**
     * Reads an image file's content, as {@link #read(File)} does.
     *
     * @throws ImageException for a file that is broken or of a format that ImageIO does not know
     */
    public static Pixels read(byte[] file) {
        BufferedImage image;
        try {
            image = ImageIO.read(new ByteArrayInputStream(Arguments.given(file, "file")));
        } catch (IOException | RuntimeException error) { // a broken file may make ImageIO's readers throw any exception
            throw new ImageException("broken or truncated image file");
        }
        if (image == null) {
            throw new ImageException("not an image file of a kind that this Java reads");
        }
        return Exif.upright(pixels(image), Exif.orientation(file));
    }

    /**
     * The pixels of an image.
     *
     * <p>Gray and colours of 8 and 16 bits are used as stored. BufferedImage's getRGB would convert their colour space,
     * which brightens grays.
     */
    public static Pixels pixels(BufferedImage image) {
        Raster raster = Arguments.given(image, "image").getRaster();
        int width = image.getWidth();
        int height = image.getHeight();
        int bands = raster.getNumBands();
        int type = raster.getDataBuffer().getDataType();
        boolean stored = image.getColorModel() instanceof ComponentColorModel && !image.isAlphaPremultiplied()
                && (type == DataBuffer.TYPE_BYTE || type == DataBuffer.TYPE_USHORT) && bands <= 4
                && image.getColorModel().getNumColorComponents() != 4;
        if (!stored) { // sRGB from a palette or packed integers, or a kind that needs conversion
            return new Pixels(image.getRGB(0, 0, width, height, null, 0, width), width, height);
        }
        boolean gray = bands < 3;
        int[] argb = new int[width * height];
        int[] row = new int[width * bands];
        for (int y = 0, to = 0; y < height; y++) {
            raster.getPixels(0, y, width, 1, row);
            for (int from = 0; from < row.length; from += bands, to++) {
                int red = level(row[from], type);
                int green = gray ? red : level(row[from + 1], type);
                int blue = gray ? red : level(row[from + 2], type);
                int alpha = bands % 2 == 0 ? level(row[from + bands - 1], type) : 255;
                argb[to] = alpha << 24 | red << 16 | green << 8 | blue;
            }
        }
        return new Pixels(argb, width, height);
    }

    /** A sample of 8 or 16 bits as 0..255, rounded to nearest: 65535 / 257 = 255. */
    private static int level(int sample, int type) {
        return type == DataBuffer.TYPE_BYTE ? sample : (sample + 128) / 257;
    }
}
