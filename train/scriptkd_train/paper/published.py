"""Results of Ghosh Dastidar et al. 2021 (arXiv 2102.10335), in per cent unless stated otherwise.

Scripts have this project's names.
"""

from __future__ import annotations

TEACHERS = {"inceptionv3": "InceptionV3", "efficientnet-b4": "EfficientNet-B4", "vgg19": "VGG19"}
"""Row of the matrix -> its name, in the order of the tables."""

# Table 1 and section 3.1, in millions of parameters.
PARAMETERS = {"inceptionv3": 27, "efficientnet-b4": 17, "vgg19": 143, "assistant": 14, "student": 1}

# Table 2: teacher, assistant, student.
TABLE_2 = {
    "inceptionv3": (98.19, 88.58, 89.19),
    "efficientnet-b4": (97.19, 88.52, 87.74),
    "vgg19": (97.28, 89.71, 88.30),
}

# Table 6, drawn in figure 6: the student alone, taught directly by each teacher, and through the assistant.
TABLE_6 = {
    "alone": 82.24,
    "inceptionv3-direct": 85.18,
    "inceptionv3": 89.19,
    "efficientnet-b4-direct": 84.51,
    "efficientnet-b4": 87.74,
    "vgg19-direct": 86.45,
    "vgg19": 88.30,
}

# Tables 3, 4 and 5: precision, recall and F-score, 0 to 1, of the student taught through the assistant, for each
# teacher.
TABLE_3_TO_5 = {
    "inceptionv3": {
        "Arabic": (0.97, 0.93, 0.95),
        "Bengali": (0.81, 0.91, 0.86),
        "Latin": (0.92, 0.82, 0.87),
        "Gujarati": (0.94, 0.95, 0.94),
        "Devanagari": (0.95, 0.88, 0.91),
        "Kannada": (0.95, 0.68, 0.79),
        "Oriya": (0.85, 0.96, 0.90),
        "Gurmukhi": (0.95, 0.93, 0.94),
        "Tamil": (0.84, 0.95, 0.89),
        "Telugu": (0.79, 0.90, 0.84),
    },
    "efficientnet-b4": {
        "Arabic": (0.98, 0.92, 0.95),
        "Bengali": (0.77, 0.91, 0.83),
        "Latin": (0.89, 0.82, 0.85),
        "Gujarati": (0.97, 0.93, 0.95),
        "Devanagari": (0.95, 0.86, 0.90),
        "Kannada": (0.97, 0.58, 0.72),
        "Oriya": (0.89, 0.95, 0.92),
        "Gurmukhi": (0.93, 0.94, 0.93),
        "Tamil": (0.84, 0.94, 0.89),
        "Telugu": (0.73, 0.93, 0.82),
    },
    "vgg19": {
        "Arabic": (0.98, 0.95, 0.96),
        "Bengali": (0.74, 0.85, 0.79),
        "Latin": (0.91, 0.84, 0.88),
        "Gujarati": (0.93, 0.96, 0.94),
        "Devanagari": (0.87, 0.88, 0.87),
        "Kannada": (0.97, 0.65, 0.78),
        "Oriya": (0.80, 0.99, 0.88),
        "Gurmukhi": (0.97, 0.93, 0.95),
        "Tamil": (0.88, 0.85, 0.87),
        "Telugu": (0.87, 0.92, 0.89),
    },
}

# Table 7: accuracy by script, in the table's order of scripts, then the final accuracy.
TABLE_7_SCRIPTS = (
    *("Latin", "Devanagari", "Bengali", "Oriya", "Gujarati"),
    *("Gurmukhi", "Kannada", "Tamil", "Telugu", "Arabic"),
)
TABLE_7 = {
    "CUK": (65.69, 61.66, 68.71, 79.14, 73.39, 92.09, 71.66, 82.55, 57.89, 89.44, 74.06),
    "C-DAC": (68.33, 71.47, 91.61, 88.04, 88.99, 90.51, 68.47, 91.90, 91.33, 97.69, 84.66),
    "inceptionv3": (82.11, 87.73, 91.29, 96.01, 95.11, 93.35, 68.15, 94.70, 89.16, 89.78, 89.19),
    "efficientnet-b4": (81.52, 86.19, 91.29, 95.09, 93.27, 94.30, 57.64, 93.76, 92.57, 91.75, 87.74),
    "vgg19": (84.16, 87.73, 84.84, 99.38, 96.02, 93.35, 64.97, 85.36, 92.26, 94.72, 88.30),
}
