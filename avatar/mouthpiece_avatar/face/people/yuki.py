"""Yuki: wide cheekbones and a short chin, narrow eyes, a black bob with a fringe."""

from __future__ import annotations

from mouthpiece_avatar.face.bones import Bones
from mouthpiece_avatar.face.design import FaceDesign, Hair
from mouthpiece_avatar.face.drawing import hex_colour

YUKI = FaceDesign(
    name="yuki",
    bones=Bones(
        outline=(
            (256, 118), (302, 124), (332, 156), (341, 200), (339, 240), (326, 276), (302, 305), (278, 321), (256, 325),
        ),
        eye_x=38.0, eye_y=224, eye_width=23.5, eye_height=9.6, eye_tilt=3.6, crease=0.15,
        brow=((-20, -25.5), (-6, -28), (12, -29), (29, -25)), brow_weight=5.0,
        nose_y=265, nose_width=0.9, nose_bridge=0.55,
        mouth_y=289, mouth_half=22.5, upper_lip=6.4, lower_lip=8.0,
        ear_size=0, ear_y=0, cheek_y=250, cheeks=1.5, neck=35, shoulders=190,
    ),
    skin=hex_colour("#f3d3b2"),
    shade=hex_colour("#cf9f78"),
    light=hex_colour("#fee9d2"),
    blush=hex_colour("#ee9c8c"),
    lips=hex_colour("#cf5d66"),
    brow=hex_colour("#2a211f"),
    iris_dark=hex_colour("#20130d"),
    iris_light=hex_colour("#5a3b28"),
    wall=(hex_colour("#eef3e8"), hex_colour("#c8d8c4"), hex_colour("#92ab94")),
    garment=(hex_colour("#e8b04a"), hex_colour("#cf9330"), hex_colour("#9a6a1c")),
    lashes=4.2,
    lip_shine=0.24,
    hair=Hair(
        dark=hex_colour("#0f0d10"),
        mid=hex_colour("#211d22"),
        light=hex_colour("#5b5563"),
        back=(
            (256, 62), (316, 72), (354, 112), (366, 170), (368, 230), (372, 290), (370, 330), (338, 338), (310, 334),
            (256, 330), (202, 334), (174, 338), (142, 330), (140, 290), (144, 230), (146, 170), (158, 112), (196, 72),
        ),
        front=(
            (
                (256, 64), (316, 72), (352, 110), (364, 170), (366, 236), (371, 296), (366, 332), (344, 336),
                (330, 330),
                (336, 296), (338, 256), (338, 214), (332, 184), (300, 180),
            ),
            (
                (256, 64), (196, 72), (160, 110), (148, 170), (146, 236), (141, 296), (146, 332), (168, 336),
                (182, 330),
                (176, 296), (174, 256), (174, 214), (180, 184), (212, 180),
            ),
            (
                (256, 62), (306, 72), (336, 104), (346, 150), (341, 190), (318, 187), (290, 185), (256, 186),
                (222, 185),
                (194, 187), (171, 190), (166, 150), (176, 104), (206, 72),
            ),
        ),
        strands=(
            ((252, 72), (220, 100), (198, 140), (190, 184)), ((258, 74), (238, 110), (224, 150), (218, 183)),
            ((262, 72), (262, 112), (256, 150), (252, 184)), ((268, 76), (288, 112), (296, 150), (300, 184)),
            ((264, 72), (304, 100), (322, 140), (326, 186)),
            ((206, 78), (168, 120), (158, 180), (156, 250), (152, 320)),
            ((306, 78), (344, 120), (354, 180), (356, 250), (360, 320)),
            ((180, 100), (162, 160), (164, 230), (160, 310)),
            ((332, 100), (350, 160), (348, 230), (352, 310)),
        ),
        shine=(((182, 140), (214, 118), (256, 112), (300, 118), (332, 142)),),
    ),
)  # fmt: skip
