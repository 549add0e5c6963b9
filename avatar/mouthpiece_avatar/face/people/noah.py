"""Noah: a square jaw, straight brows, short dark hair."""

from __future__ import annotations

from mouthpiece_avatar.face.bones import Bones
from mouthpiece_avatar.face.design import Beard, FaceDesign, Hair
from mouthpiece_avatar.face.drawing import hex_colour

NOAH = FaceDesign(
    name="noah",
    bones=Bones(
        outline=(
            (256, 106), (304, 115), (332, 150), (339, 198), (338, 246), (334, 286), (319, 318), (292, 338), (256, 344),
        ),
        eye_x=37, eye_y=222, eye_width=23.0, eye_height=11.2, eye_tilt=0, crease=0.6,
        brow=((-22, -25.5), (-6, -28.5), (13, -30.5), (31, -23.5)), brow_weight=9.2,
        nose_y=273, nose_width=1.18, nose_bridge=1.35,
        mouth_y=301, mouth_half=28.0, upper_lip=5.2, lower_lip=7.2,
        ear_size=1.0, ear_y=230, cheek_y=250, cheeks=0.8, neck=51, shoulders=226,
    ),
    skin=hex_colour("#c98d63"),
    shade=hex_colour("#94593a"),
    light=hex_colour("#e6b58c"),
    blush=hex_colour("#c06a4c"),
    lips=hex_colour("#a85c4e"),
    brow=hex_colour("#231813"),
    iris_dark=hex_colour("#3b2415"),
    iris_light=hex_colour("#9a6a3c"),
    wall=(hex_colour("#e9f0f2"), hex_colour("#bfd0d6"), hex_colour("#8aa3ae")),
    garment=(hex_colour("#45526e"), hex_colour("#303b55"), hex_colour("#1d263b")),
    lashes=3.0,
    beard=Beard(hex_colour("#3a2a22"), 0.1, top=20),
    hair=Hair(
        dark=hex_colour("#17110f"),
        mid=hex_colour("#2e211b"),
        light=hex_colour("#6a5244"),
        back=(),
        front=(
            # sides, then the top combed across
            ((173, 212), (166, 182), (166, 146), (184, 122), (202, 134), (194, 160), (184, 180), (179, 200)),
            ((339, 212), (346, 182), (346, 146), (328, 122), (310, 134), (318, 160), (328, 180), (333, 200)),
            (
                (170, 160), (164, 126), (182, 90), (216, 66), (262, 58), (312, 66), (342, 94), (349, 130), (344, 160),
                (332, 152), (316, 146), (290, 144), (260, 136), (232, 128), (212, 134), (196, 148), (182, 158),
            ),
        ),
        strands=(
            ((196, 134), (206, 108), (236, 92), (276, 90), (312, 104), (334, 132)),
            ((204, 126), (224, 106), (256, 102), (292, 112), (322, 130)),
            ((188, 138), (192, 106), (222, 82), (266, 76), (312, 86)),
            ((216, 128), (240, 116), (274, 120), (306, 136)),
            ((178, 150), (178, 114), (202, 86), (240, 74)),
            ((300, 80), (330, 104), (342, 140)),
        ),
        shine=(((190, 112), (222, 88), (262, 84), (304, 96)),),
    ),
)  # fmt: skip
