"""What the mouth does for each phone: one class per phone, from the phone sets of all synthesisers.

The classes are those of :mod:`mouthpiece_avatar.lips.model`. A stop is closed for the first part of its time only; a
diphthong has two targets. Phones that no table knows are left out of training (``None``).
"""

from __future__ import annotations

from dataclasses import dataclass

from mouthpiece_avatar.lips.model import Class

Part = tuple[float, Class | None]
"""Share of the phone's time, and its class; None: not trained on."""


@dataclass(frozen=True, slots=True)
class Segment:
    """One phone of an utterance. Times in seconds."""

    phone: str
    begin: float
    end: float


_IPA: dict[Class, str] = {
    Class.LIPS: "p b m ɓ ɱ̩",
    Class.TEETH_ON_LIP: "f v ʋ ɱ",
    Class.HISS: "s z ʦ ʣ ts dz",
    Class.HUSH: "ʃ ʒ ʧ ʤ tʃ dʒ ʂ ʐ ɕ ʑ tɕ dʑ ʨ ʥ tʂ dʐ",
    Class.TONGUE: "θ ð l n t d ɾ r ɹ ɬ ɫ ʎ ɲ ʈ ɖ ɳ ɽ ɻ ɭ t̪ d̪ n̪ ᵊl ɟ c",
    Class.BACK: "k ɡ g ŋ h x χ ɣ ʁ ʔ ħ q ɦ ɴ ç ʝ",
    Class.NEUTRAL: "ə ɚ ɜ ɝ ɘ ɵ ɨ ɐ ᵊ ᵻ ɤ",
    Class.FRONT: "i ɪ j iː ɥ̟",
    Class.HALF: "e ɛ eː ɛː",
    Class.OPEN: "a ɑ æ ʌ ɒ̈ aː ɑː ɶ",
    Class.ROUND: "o ɔ ɒ oː ɔː œ œː",
    Class.PUCKER: "u ʊ w uː y ʏ ø yː øː ʉ ɯ ɥ",
}
_CLASS_OF_IPA = {phone: kind for kind, phones in _IPA.items() for phone in phones.split()}
_DIPHTHONGS = {
    "aɪ": "a ɪ", "aʊ": "a ʊ", "ɔɪ": "ɔ ɪ", "eɪ": "e ɪ", "oʊ": "o ʊ", "əʊ": "ə ʊ", "ai": "a i", "au": "a u", "ɔø": "ɔ ɪ",
    "A": "e ɪ", "I": "a ɪ", "O": "o ʊ", "Q": "ə ʊ", "W": "a ʊ", "Y": "ɔ ɪ", "ɔʏ": "ɔ ɪ", "eu": "e u",
    "oi": "o i", "ei": "e i",
}  # fmt: skip
"""The capitals are hibari's."""
_LENGTHS = "ːˑˈˌ̩̯ʲʰ̃͡'̪̝̞̟̠ˤ̥"


def _table(*lines: str) -> dict[str, str]:
    """Read ``phone=ipa`` words."""
    pairs = (word.split("=") for line in lines for word in line.split())
    return {phone: ipa for phone, ipa in pairs}  # noqa: C416 - dict() loses the types


DARPA = _table(
    "aa=ɑ ae=æ ah=ʌ ao=ɔ aw=aʊ ax=ə axr=ɚ ay=aɪ b=b ch=tʃ d=d dh=ð dx=ɾ eh=ɛ el=l em=m en=n er=ɝ ey=eɪ f=f g=ɡ hh=h",
    "hv=h ih=ɪ ix=ɨ iy=i jh=dʒ k=k l=l m=m n=n nx=ɾ ng=ŋ ow=oʊ oy=ɔɪ p=p r=ɹ s=s sh=ʃ t=t th=θ uh=ʊ uw=u ux=u v=v w=w",
    "y=j z=z zh=ʒ",
)
ITALIAN = _table(
    "p=p t=t k=k b=b d=d g=ɡ f=f v=v s=s z=z ts=ts dz=dz tS=tʃ dZ=dʒ S=ʃ m=m n=n J=ɲ ng=ŋ l=l L=ʎ r=r a=a e=e E=ɛ i=i",
    "o=o O=ɔ u=u a1=a e1=e E1=ɛ i1=i o1=o O1=ɔ u1=u j=j w=w",
)
FINNISH = _table(
    "a=ɑ e=e i=i o=o u=u y=y @=æ A=ɑ E=e I=i O=o U=u Y=y aa=ɑ ee=e ii=i oo=o uu=u yy=y AA=ɑ EE=e {=æ 2=ø {{=æ 22=ø",
    "ä=æ ö=ø ää=æ öö=ø N=ŋ NN=ŋ p=p b=b m=m f=f v=v s=s t=t d=d l=l n=n r=r k=k h=h j=j g=g pp=p bb=b mm=m ff=f vv=v",
    "ss=s tt=t dd=d ll=l nn=n rr=r kk=k hh=h jj=j gg=g",
)
CZECH = _table(
    "a=a e=ɛ i=ɪ o=o u=u aa=a á=a ee=ɛ é=ɛ ii=i í=i oo=o ó=o uu=u ú=u p=p b=b m=m f=f v=v s=s z=z c=ts dz=dz dz~=dʒ",
    "ch=x ch~=x c~=tʃ č=tʃ s~=ʃ š=ʃ z~=ʒ ž=ʒ dž=dʒ t=t d=d n=n t~=c d~=ɟ n~=ɲ ť=c ď=ɟ ň=ɲ r=r l=l r~=ʒ r~*=ʃ ř=ʒ k=k",
    "g=ɡ h=h j=j ng=ŋ N*=ŋ M*=ɱ c*=dz c~*=dʒ x=x y=ɪ sh=ʃ zh=ʒ tch=tʃ",
)
CATALAN = _table(
    "a=a e=e i=i o=o u=u E=ɛ O=ɔ ax=ə a1=a e1=e i1=i o1=o u1=u E1=ɛ O1=ɔ uax=ə p=p b=b m=m f=f v=v s=s z=z S=ʃ Z=ʒ",
    "tS=tʃ dZ=dʒ ts=ts dz=dz t=t d=d D=ð n=n J=ɲ N=ŋ l=l L=ʎ r=ɾ rr=r k=k g=ɡ G=ɣ j=j w=w y=j uy=j h=h",
)
RUSSIAN = _table(
    "a=a aa=a ae=a e=ɛ ee=ɛ i=i ii=i o=o oo=o u=u uu=u y=ɨ yy=ɨ ur=u e0=ə p=p pp=p b=b bb=b m=m mm=m f=f ff=f v=v vv=v",
    "s=s ss=s z=z zz=z c=ts ch=tɕ sh=ʃ sch=ɕ zh=ʒ t=t tt=t d=d dd=d n=n nn=n l=l ll=l r=r rr=r k=k kk=k g=ɡ gg=ɡ h=x",
    "hh=x j=j",
)
SILENCES = frozenset(
    ["pau", "#", "##", "_", "_:", "sil", "ssil", "SIL", "<sil>", "h#", "brth", "", "(en)", "|", "<p:>"]
)
_STOPS = frozenset("p b")


def parts(phone: str, table: dict[str, str] | None = None) -> tuple[Part, ...]:
    """Return the targets of a phone; ``table`` maps the phones of its set to IPA, None: it is IPA already."""
    if phone in SILENCES:
        return ((1.0, Class.REST),)
    ipa = phone if table is None else table.get(phone, table.get(phone.rstrip(":"), ""))
    if table is None:
        ipa = ipa if ipa in _DIPHTHONGS else "".join(letter for letter in ipa if letter not in _LENGTHS)
    if ipa in _DIPHTHONGS:
        first, second = _DIPHTHONGS[ipa].split()
        return ((0.45, _CLASS_OF_IPA[first]), (0.2, None), (0.35, _CLASS_OF_IPA[second]))
    kind = _CLASS_OF_IPA.get(ipa)
    if kind is None and ipa:
        kind = _CLASS_OF_IPA.get(ipa[0])
        if kind in (Class.OPEN, Class.HALF, Class.ROUND) and ipa[-1] in _CLASS_OF_IPA and len(ipa) > 1:
            return ((0.45, kind), (0.2, None), (0.35, _CLASS_OF_IPA[ipa[-1]]))
    if ipa in _STOPS:
        return ((0.7, kind), (0.3, None))
    return ((1.0, kind),)
