"""Elena: sixty-eight, a soft jaw, thin lips, short grey waves, glasses."""

from __future__ import annotations

from mouthpiece_avatar.face.bones import Bones
from mouthpiece_avatar.face.design import FaceDesign, Glasses, Hair
from mouthpiece_avatar.face.drawing import hex_colour

ELENA = FaceDesign(
    name="elena",
    bones=Bones(
        outline=(
            (256, 116), (296, 122), (325, 152), (333, 198), (331, 244), (328, 280), (319, 308), (296, 330), (256, 340),
        ),
        eye_x=36.5, eye_y=226, eye_width=21.5, eye_height=10.0, eye_tilt=-2.0, crease=0.95,
        brow=((-19, -26), (-5, -30), (12, -31), (28, -22)), brow_weight=4.6,
        nose_y=276, nose_width=1.08, nose_bridge=1.2,
        mouth_y=302, mouth_half=25.0, upper_lip=4.0, lower_lip=5.8,
        ear_size=0, ear_y=0, cheek_y=254, cheeks=1.2, neck=42, shoulders=204,
    ),
    skin=hex_colour("#efc9ae"),
    shade=hex_colour("#c08a6c"),
    light=hex_colour("#fbe4d2"),
    blush=hex_colour("#e08d80"),
    lips=hex_colour("#b8625f"),
    brow=hex_colour("#8d8178"),
    iris_dark=hex_colour("#35506b"),
    iris_light=hex_colour("#86a9c6"),
    wall=(hex_colour("#f3f0e6"), hex_colour("#d9d6c2"), hex_colour("#a9aa90")),
    garment=(hex_colour("#8a3f55"), hex_colour("#6d2b40"), hex_colour("#4b1a2b")),
    lashes=2.8,
    lip_shine=0.14,
    age=0.9,
    glasses=Glasses(hex_colour("#4a3434"), 29.0, 23.0, 3.0),
    hair=Hair(
        dark=hex_colour("#84817f"),
        mid=hex_colour("#b3b0ac"),
        light=hex_colour("#efedea"),
        softness=1.6,
        back=(
            (256, 70), (318, 78), (356, 116), (370, 170), (372, 224), (364, 276), (346, 312), (320, 326), (300, 300),
            (256, 290), (212, 300), (192, 326), (166, 312), (148, 276), (140, 224), (142, 170), (156, 116), (194, 78),
        ),
        front=(
            (
                (262, 76), (306, 70), (342, 96), (364, 136), (370, 186), (366, 236), (360, 274), (344, 300), (330, 302),
                (338, 268), (335, 236), (334, 206), (324, 176), (306, 156), (284, 146), (262, 128),
            ),
            (
                (296, 80), (262, 58), (210, 66), (170, 96), (148, 138), (142, 188), (146, 238), (152, 274), (168, 300),
                (184, 304), (174, 268), (177, 236), (178, 206), (190, 176), (216, 164), (250, 158), (284, 140),
                (300, 108),
            ),
        ),
        strands=(
            ((290, 92), (250, 84), (206, 102), (178, 140), (166, 186), (170, 230), (164, 280)),
            ((292, 104), (252, 98), (212, 118), (190, 148), (174, 192), (160, 236), (170, 288)),
            ((296, 116), (256, 114), (222, 132), (196, 160)), ((280, 128), (248, 134), (218, 150)),
            ((240, 68), (196, 88), (164, 126), (152, 178), (156, 226)), ((272, 84), (314, 90), (342, 124), (354, 176)),
            ((278, 92), (316, 110), (338, 150), (344, 200), (352, 244), (344, 284)),
            ((282, 104), (312, 126), (330, 160), (342, 206)),
            ((290, 80), (330, 92), (356, 136), (360, 190), (358, 240)),
            ((268, 108), (296, 132), (318, 158)),
        ),
        shine=(((176, 136), (204, 106), (240, 92), (276, 96)), ((292, 88), (322, 104), (342, 134))),
    ),
)  # fmt: skip
