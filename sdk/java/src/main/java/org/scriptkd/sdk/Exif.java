package org.scriptkd.sdk;

import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** The orientation that a camera stores with its photo. */
final class Exif {
    private static final int ORIENTATION = 0x0112; // the tag, of TIFF 6.0
    private static final int SHORT = 3; // its type
    private static final int LONG = 4; // some programs write this type
    private static final int JPEG = 0xFFD8;
    private static final int APP1 = 0xFFE1;
    private static final int START_OF_SCAN = 0xFFDA;
    private static final int EXIF = 0x45786966; // "Exif"
    private static final int PNG = 0x89504E47;
    private static final int PNG_HEADER = 8; // bytes
    private static final int PNG_EXIF = 0x65584966; // "eXIf"

    private Exif() {}

    /** EXIF's orientation of a JPEG, PNG or TIFF file, 1 to 8; 1 (upright) if it is missing or damaged. */
    static int orientation(byte[] file) {
        ByteBuffer content = ByteBuffer.wrap(file);
        try {
            if ((content.getShort(0) & 0xFFFF) == JPEG) {
                return ofJpeg(content);
            }
            return content.getInt(0) == PNG ? ofPng(content) : ofTiff(content);
        } catch (BufferUnderflowException | IndexOutOfBoundsException | IllegalArgumentException | ArithmeticException error) {
            return 1; // other programs often damage EXIF, and the picture is still good
        }
    }

    private static int ofJpeg(ByteBuffer content) {
        int marker = 2;
        while ((content.getShort(marker) & 0xFFFF) != START_OF_SCAN) {
            int length = content.getShort(marker + 2) & 0xFFFF; // of the segment, without the marker
            if ((content.getShort(marker) & 0xFFFF) == APP1 && content.getInt(marker + 4) == EXIF) {
                return ofTiff(part(content, marker + 10, length - 8));
            }
            marker += 2 + length;
        }
        return 1;
    }

    private static int ofPng(ByteBuffer content) {
        int chunk = PNG_HEADER;
        while (content.getInt(chunk + 4) != PNG_EXIF) {
            chunk = Math.addExact(chunk, 12 + Math.max(content.getInt(chunk), 0));
        }
        return ofTiff(part(content, chunk + 8, content.getInt(chunk)));
    }

    private static ByteBuffer part(ByteBuffer content, int from, int length) {
        content.position(from);
        content.limit(from + length);
        return content.slice();
    }

    private static int ofTiff(ByteBuffer block) {
        int order = block.getShort(0);
        if (order != 0x4949 && order != 0x4D4D) {
            return 1;
        }
        block.order(order == 0x4949 ? ByteOrder.LITTLE_ENDIAN : ByteOrder.BIG_ENDIAN); // "II" or "MM"
        int entry = block.getInt(4) + 2;
        for (int left = block.getShort(entry - 2) & 0xFFFF; left > 0; left--, entry += 12) {
            if ((block.getShort(entry) & 0xFFFF) == ORIENTATION) {
                int type = block.getShort(entry + 2);
                int value = type == SHORT ? block.getShort(entry + 8) : type == LONG ? block.getInt(entry + 8) : 1;
                return value >= 1 && value <= 8 ? value : 1;
            }
        }
        return 1;
    }

    /** Undoes the rotation and mirroring that an orientation, 1 to 8, names. */
    static Pixels upright(Pixels image, int orientation) {
        if (orientation == 1) {
            return image;
        }
        boolean swapped = orientation >= 5; // rows are columns
        boolean mirrored = orientation == 2 || orientation == 3 || orientation == 6 || orientation == 7; // in x
        boolean flipped = orientation == 3 || orientation == 4 || orientation == 7 || orientation == 8; // in y
        int width = swapped ? image.height : image.width;
        int height = swapped ? image.width : image.height;
        int[] argb = new int[width * height];
        for (int y = 0, to = 0; y < height; y++) {
            int row = flipped ? height - 1 - y : y;
            for (int x = 0; x < width; x++, to++) {
                int column = mirrored ? width - 1 - x : x;
                argb[to] = image.argb[swapped ? column * image.width + row : row * image.width + column];
            }
        }
        return new Pixels(argb, width, height);
    }
}
