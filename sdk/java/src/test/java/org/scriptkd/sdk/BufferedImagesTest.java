package org.scriptkd.sdk;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.File;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.Arrays;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** From Java's images to pixels. GoldenTest reads the golden files. */
class BufferedImagesTest {
    @Test
    void grayStaysGray() {
        BufferedImage image = new BufferedImage(256, 2, BufferedImage.TYPE_BYTE_GRAY);
        for (int x = 0; x < 256; x++) {
            image.getRaster().setSample(x, 0, 0, x);
        }
        int[] argb = BufferedImages.pixels(image).argb;
        for (int x = 0; x < 256; x++) {
            assertEquals(0xFF000000 | x * 0x010101, argb[x]);
        }
        assertEquals(188, image.getRGB(128, 0) & 0xFF, "the reason for this class: getRGB brightens");
    }

    @Test
    void sixteenBitsAreRoundedToEight() {
        BufferedImage image = new BufferedImage(4, 2, BufferedImage.TYPE_USHORT_GRAY);
        int[] samples = {128, 129, 65535, 65535 - 129};
        image.getRaster().setPixels(0, 0, 4, 1, samples);
        int[] argb = BufferedImages.pixels(image).argb;
        assertArrayEquals(new int[] {0xFF000000, 0xFF010101, 0xFFFFFFFF, 0xFFFEFEFE}, Arrays.copyOf(argb, 4));
    }

    @ParameterizedTest
    @ValueSource(ints = {BufferedImage.TYPE_INT_RGB, BufferedImage.TYPE_INT_ARGB, BufferedImage.TYPE_INT_ARGB_PRE,
        BufferedImage.TYPE_INT_BGR, BufferedImage.TYPE_3BYTE_BGR, BufferedImage.TYPE_4BYTE_ABGR, BufferedImage.TYPE_4BYTE_ABGR_PRE,
        BufferedImage.TYPE_BYTE_INDEXED})
    void coloursOfAllKindsOfImages(int type) {
        BufferedImage image = new BufferedImage(3, 2, type);
        int[] colours = {0xFFFF0000, 0xFF00FF00, 0xFF0000FF, 0xFFFFFFFF, 0xFF000000, 0xFF00FFFF};
        image.setRGB(0, 0, 3, 2, colours, 0, 3);
        assertArrayEquals(colours, BufferedImages.pixels(image).argb);
    }

    @Test
    void alphaIsKept() {
        BufferedImage image = new BufferedImage(2, 2, BufferedImage.TYPE_4BYTE_ABGR);
        image.setRGB(1, 0, 0x40FF8000);
        assertArrayEquals(new int[] {0, 0x40FF8000, 0, 0}, BufferedImages.pixels(image).argb);
    }

    @Test
    void exifOfAPngIsHonouredToo() throws IOException {
        byte[] png = png();
        // A TIFF with one entry, orientation 6, in either byte order, in a chunk before the image's data.
        for (ByteOrder order : new ByteOrder[] {ByteOrder.LITTLE_ENDIAN, ByteOrder.BIG_ENDIAN}) {
            ByteBuffer exif = ByteBuffer.allocate(26).order(order);
            exif.putShort((short) (order == ByteOrder.LITTLE_ENDIAN ? 0x4949 : 0x4D4D)).putShort((short) 42).putInt(8);
            exif.putShort((short) 1).putShort((short) 0x0112).putShort((short) 3).putInt(1).putShort((short) 6).putShort((short) 0);
            ByteArrayOutputStream file = new ByteArrayOutputStream();
            file.write(png, 0, 33);
            file.write(ByteBuffer.allocate(8).putInt(26).putInt(0x65584966).array());
            file.write(exif.array());
            file.write(crc("eXIf", exif.array()));
            file.write(png, 33, png.length - 33);
            Pixels turned = BufferedImages.read(file.toByteArray());
            assertEquals("2x3 pixels", turned.toString());
            assertEquals(0xFFFF0000, turned.argb[1], "the first pixel comes to the upper right");
        }
        assertEquals("3x2 pixels", BufferedImages.read(png).toString());
    }

    @Test
    void damagedExifIsNone() throws IOException {
        byte[] photo = java.nio.file.Files.readAllBytes(new File(Samples.GOLDEN, "files/devanagari-16-jpeg-exif6.jpg").toPath());
        assertEquals(6, Exif.orientation(photo));
        for (int length = 0; length < 80; length++) {
            Exif.orientation(Arrays.copyOf(photo, length)); // throws nothing
        }
        for (int place = 2; place < 120; place++) {
            byte[] damaged = photo.clone();
            damaged[place] ^= (byte) 0xFF;
            int orientation = Exif.orientation(damaged);
            assertEquals(true, orientation >= 1 && orientation <= 8);
        }
    }

    @Test
    void filesThatCannotBeRead(@TempDir Path folder) throws IOException {
        File missing = folder.resolve("none.png").toFile();
        assertEquals(missing + ": cannot be read", error(() -> BufferedImages.read(missing)));
        assertEquals(folder + ": a folder, not an image", error(() -> BufferedImages.read(folder.toFile())));
        assertEquals("not an image file of a kind that this Java reads", error(() -> BufferedImages.read(new byte[9])));
        byte[] png = png();
        assertEquals("broken or truncated image file", error(() -> BufferedImages.read(Arrays.copyOf(png, png.length / 2))));
        assertEquals("file must not be null",
                assertThrows(ArgumentException.class, () -> BufferedImages.read((File) null)).getMessage());
        assertEquals("image must not be null",
                assertThrows(ArgumentException.class, () -> BufferedImages.pixels(null)).getMessage());
    }

    private static String error(org.junit.jupiter.api.function.Executable call) {
        return assertThrows(ImageException.class, call).getMessage();
    }

    private static byte[] png() throws IOException {
        BufferedImage image = new BufferedImage(3, 2, BufferedImage.TYPE_INT_RGB);
        image.setRGB(0, 0, 0xFF0000);
        ByteArrayOutputStream file = new ByteArrayOutputStream();
        ImageIO.write(image, "png", file);
        return file.toByteArray();
    }

    private static byte[] crc(String kind, byte[] content) {
        java.util.zip.CRC32 sum = new java.util.zip.CRC32();
        sum.update(kind.getBytes(java.nio.charset.StandardCharsets.US_ASCII));
        sum.update(content);
        return ByteBuffer.allocate(4).putInt((int) sum.getValue()).array();
    }
}
