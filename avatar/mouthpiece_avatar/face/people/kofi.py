"""Kofi: dark skin, a broad nose and full lips, cropped hair, a short beard."""

from __future__ import annotations

from mouthpiece_avatar.face.bones import Bones
from mouthpiece_avatar.face.design import Beard, FaceDesign, Hair
from mouthpiece_avatar.face.drawing import hex_colour

KOFI = FaceDesign(
    name="kofi",
    bones=Bones(
        outline=(
            (256, 98), (308, 108), (338, 148), (345, 200), (342, 250), (335, 292), (315, 325), (288, 344), (256, 349),
        ),
        eye_x=39.5, eye_y=224, eye_width=23.0, eye_height=11.8, eye_tilt=1.0, crease=0.8,
        brow=((-21, -26.5), (-6, -30.5), (13, -31.5), (31, -24)), brow_weight=8.6,
        nose_y=275, nose_width=1.5, nose_bridge=0.7,
        mouth_y=306, mouth_half=31.0, upper_lip=8.8, lower_lip=11.0,
        ear_size=0.9, ear_y=234, cheek_y=250, cheeks=1.25, neck=56, shoulders=234,
    ),
    skin=hex_colour("#77482f"),
    shade=hex_colour("#42241a"),
    light=hex_colour("#a56d4a"),
    blush=hex_colour("#8a4634"),
    lips=hex_colour("#8b4a44"),
    brow=hex_colour("#120c0a"),
    iris_dark=hex_colour("#1c100a"),
    iris_light=hex_colour("#5d3b22"),
    wall=(hex_colour("#f7ecd2"), hex_colour("#e0c28c"), hex_colour("#b08a52")),
    garment=(hex_colour("#f3efe6"), hex_colour("#dcd5c6"), hex_colour("#b3a994")),
    lashes=3.2,
    lip_shine=0.16,
    beard=Beard(hex_colour("#140d0a"), 0.62, top=22),
    hair=Hair(
        dark=hex_colour("#0d0908"),
        mid=hex_colour("#1d1512"),
        light=hex_colour("#4a3a33"),
        softness=2.2,
        back=(),
        front=(
            (
                (170, 198), (167, 160), (176, 118), (202, 84), (240, 70), (272, 70), (310, 84), (336, 118), (345, 160),
                (342, 198), (335, 172), (327, 146), (306, 128), (282, 121), (256, 119), (230, 121), (206, 128),
                (185, 146), (177, 172),
            ),
        ),
        strands=(),
        shine=(((196, 122), (222, 98), (256, 92), (290, 100)),),
    ),
)  # fmt: skip
