"""The designs of the faces: colours, proportions, hair."""

from __future__ import annotations

from dataclasses import dataclass

from mouthpiece_avatar.face.drawing import Colour, Point, hex_colour


@dataclass(frozen=True, slots=True)
class Hair:
    """Outlines in picture coordinates; each is drawn smooth."""

    back: tuple[Point, ...]
    """Behind neck and shoulders."""
    front: tuple[tuple[Point, ...], ...]
    """Over the face, from back to front."""
    strands: tuple[tuple[Point, ...], ...]
    """Lines of light in the front hair."""
    back_strands: tuple[tuple[Point, ...], ...] = ()
    shine: tuple[tuple[Point, ...], ...] = ()
    """Where the light falls on the crown."""


@dataclass(frozen=True, slots=True)
class FaceDesign:
    """One face."""

    name: str
    skin: Colour
    shade: Colour
    """Of the skin where little light falls."""
    light: Colour
    """Of the skin where much falls."""
    blush: Colour
    lips: Colour
    hair_dark: Colour
    hair_mid: Colour
    hair_light: Colour
    brow: Colour
    iris_dark: Colour
    iris_light: Colour
    wall: tuple[Colour, Colour, Colour]
    """Background: light, middle, dark."""
    garment: tuple[Colour, Colour, Colour]
    """Light, middle, dark."""
    hair: Hair
    jaw: tuple[Point, ...]
    """Right half of the face's outline, from the forehead to the chin."""
    shoulders: float
    """Half their width at the lower edge."""
    neck: float
    """Half its width."""
    brow_weight: float
    lashes: float
    """Thickness of the upper lash line."""
    lip_fullness: float
    masculine: bool = False


MIA = FaceDesign(
    name="mia",
    skin=hex_colour("#f0c4a4"),
    shade=hex_colour("#cf8f6d"),
    light=hex_colour("#fde0c8"),
    blush=hex_colour("#ea8f7d"),
    lips=hex_colour("#c9605f"),
    hair_dark=hex_colour("#3a221a"),
    hair_mid=hex_colour("#5c3727"),
    hair_light=hex_colour("#a8704a"),
    brow=hex_colour("#4f3024"),
    iris_dark=hex_colour("#3a5a45"),
    iris_light=hex_colour("#8fb98a"),
    wall=(hex_colour("#fbeee3"), hex_colour("#ecd3c4"), hex_colour("#cfa998")),
    garment=(hex_colour("#3f8f8c"), hex_colour("#2b7472"), hex_colour("#1b5556")),
    hair=Hair(
        back=(
            (258, 56), (308, 65), (350, 104), (372, 166), (372, 226), (386, 282), (394, 330), (384, 374), (392, 404),
            (372, 424), (340, 416), (300, 408), (256, 400), (212, 408), (172, 416), (140, 424), (120, 404), (128, 374),
            (118, 330), (126, 282), (140, 226), (140, 166), (162, 104), (206, 65),
        ),
        front=(
            # the side that the parting throws back, then the sweep across the forehead
            (
                (242, 78), (272, 62), (312, 73), (346, 110), (364, 166), (364, 224), (376, 276), (386, 322), (374, 362),
                (380, 396), (356, 384), (352, 346), (358, 316), (346, 276), (338, 240), (336, 210), (328, 180),
                (312, 158), (288, 142), (262, 126), (244, 108),
            ),
            (
                (284, 72), (252, 58), (206, 70), (168, 108), (148, 160), (148, 220), (136, 272), (126, 320), (138, 360),
                (130, 394), (154, 386), (162, 348), (154, 316), (166, 276), (174, 240), (177, 212), (186, 184),
                (208, 166), (240, 150), (268, 126), (284, 98),
            ),
        ),
        strands=(
            ((270, 84), (320, 102), (346, 160), (350, 226), (362, 282), (370, 330), (362, 372)),
            ((262, 90), (308, 112), (334, 160), (343, 214), (350, 260), (364, 312)),
            ((286, 78), (334, 98), (358, 164), (356, 226), (370, 284), (376, 330)),
            ((276, 96), (306, 122), (326, 156), (337, 196)),
            ((292, 84), (330, 116), (346, 176), (346, 232), (358, 292), (364, 344)),
            ((256, 80), (206, 100), (170, 154), (162, 224), (150, 282), (142, 330), (150, 372)),
            ((266, 92), (214, 118), (180, 160), (168, 214), (162, 260), (148, 312)),
            ((240, 74), (186, 98), (155, 164), (155, 226), (142, 284), (136, 330)),
            ((272, 104), (236, 132), (204, 154), (182, 184)),
            ((274, 96), (226, 124), (192, 152), (176, 190), (170, 236)),
            ((230, 84), (184, 116), (164, 176), (164, 232), (154, 292), (148, 344)),
        ),
        shine=(
            ((168, 150), (196, 116), (226, 104), (256, 104)), ((286, 98), (314, 106), (336, 128), (350, 160)),
        ),
        back_strands=(
            ((352, 230), (366, 300), (360, 360), (372, 412)), ((340, 250), (350, 320), (340, 380), (350, 412)),
            ((160, 230), (146, 300), (152, 360), (140, 412)), ((172, 250), (162, 320), (172, 380), (162, 412)),
            ((326, 300), (332, 350), (322, 404)), ((186, 300), (180, 350), (190, 404)),
        ),
    ),
    jaw=(
        (256, 112), (298, 120), (326, 152), (335, 196), (334, 240), (326, 278), (308, 308), (284, 328), (256, 335),
    ),
    shoulders=206,
    neck=39,
    brow_weight=6.0,
    lashes=4.6,
    lip_fullness=1.0,
)  # fmt: skip

NOAH = FaceDesign(
    name="noah",
    skin=hex_colour("#c98d63"),
    shade=hex_colour("#94593a"),
    light=hex_colour("#e6b58c"),
    blush=hex_colour("#c06a4c"),
    lips=hex_colour("#a85c4e"),
    hair_dark=hex_colour("#17110f"),
    hair_mid=hex_colour("#2e211b"),
    hair_light=hex_colour("#6a5244"),
    brow=hex_colour("#231813"),
    iris_dark=hex_colour("#3b2415"),
    iris_light=hex_colour("#9a6a3c"),
    wall=(hex_colour("#e9f0f2"), hex_colour("#bfd0d6"), hex_colour("#8aa3ae")),
    garment=(hex_colour("#45526e"), hex_colour("#303b55"), hex_colour("#1d263b")),
    hair=Hair(
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
    jaw=(
        (256, 108), (302, 116), (330, 150), (337, 196), (335, 244), (328, 282), (314, 312), (290, 336), (256, 344),
    ),
    shoulders=222,
    neck=48,
    brow_weight=8.6,
    lashes=3.0,
    lip_fullness=0.9,
    masculine=True,
)  # fmt: skip

FACES = {design.name: design for design in (MIA, NOAH)}
