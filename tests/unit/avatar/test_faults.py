"""What each fault decides, given what would be right."""

from __future__ import annotations

import numpy as np
import pytest

from mouthpiece import wire
from mouthpiece.audio.pcm import Samples
from mouthpiece.wire import PlaybackReceipt
from mouthpiece_avatar.playout_stream import RATE
from mouthpiece_avatar.testing.combined import FirstStreams, Together
from mouthpiece_avatar.testing.fault import Answer, Call, Fault, Halt, HaltKind, Inbound, Moment, Outgoing
from mouthpiece_avatar.testing.receipt_faults import (
    ReceiptDoubled,
    ReceiptEarly,
    ReceiptLate,
    ReceiptMissing,
    ReceiptOtherParticipant,
    ReceiptOtherSegment,
    ReceiptShort,
)
from mouthpiece_avatar.testing.receiver_faults import (
    BoundElsewhere,
    DeafAfter,
    Dies,
    JoinsLate,
    LostTrailer,
    Rejects,
    Silent,
    SlowRpc,
    Stalls,
)
from mouthpiece_avatar.testing.track_faults import Noise, OtherSpeech

SENDER = "external-audio-sender-1"
STARTED = Outgoing(PlaybackReceipt("seg_1", "started", 0.0, False, 1))
ENDED = Outgoing(PlaybackReceipt("seg_1", "finished", 2.0, False, 1))
CLEARED = Outgoing(PlaybackReceipt("seg_1", "finished", 0.7, True, 1))


def stream(number: int = 1, sender: str = SENDER) -> Inbound:
    return Inbound(number, sender, "seg_1", 1, received=2.0)


def reported(fault: Fault, *right: Outgoing, moment: Moment = Moment.ENDED, number: int = 1) -> tuple[Outgoing, ...]:
    return fault.receipts(moment, stream(number), right)


def reports(fault: Fault) -> list[tuple[Outgoing, ...]]:
    """What is reported of a stream that is played to its end, at each moment of it."""
    return [
        reported(fault, STARTED, moment=Moment.STARTED),
        reported(fault, moment=Moment.RECEIVED),
        reported(fault, ENDED),
    ]


def answered(fault: Fault, method: str = wire.RPC_CLEAR_BUFFER, caller: str = SENDER, streams: int = 0) -> Answer:
    return fault.answer(Call(method, caller, streams), Answer())


def quiet() -> Samples:
    return np.zeros(RATE, np.int16)


def level(samples: Samples) -> float:
    """Decibels of full scale."""
    return float(20 * np.log10(np.sqrt(np.mean(samples.astype(np.float64) ** 2)) / 32_767))


def test_a_receiver_without_a_fault_does_what_is_right() -> None:
    fault = Fault()
    assert reports(fault) == [(STARTED,), (), (ENDED,)]
    assert answered(fault) == Answer()
    assert fault.hears(stream(), True)
    assert fault.halt(stream(), None) is None
    assert fault.trailer_after(stream(), 0.0) == 0
    assert fault.voice(stream(), b"ab") == b"ab"
    assert fault.joins_after == 0


def test_a_missing_receipt_leaves_the_start_alone() -> None:
    assert reports(ReceiptMissing()) == [(STARTED,), (), ()]


def test_an_early_receipt_comes_once_all_was_received_and_not_again() -> None:
    early = Outgoing(PlaybackReceipt("seg_1", "finished", 2.0, False, 1))
    assert reports(ReceiptEarly()) == [(STARTED,), (early,), ()]


def test_an_early_receipt_does_not_keep_back_that_of_a_clear() -> None:
    assert reported(ReceiptEarly(), CLEARED) == (CLEARED,)


def test_a_late_receipt_is_that_of_the_end() -> None:
    assert reports(ReceiptLate(3.0)) == [(STARTED,), (), (Outgoing(ENDED.receipt, after=3.0),)]


def test_a_doubled_receipt_is_the_same_twice() -> None:
    assert reports(ReceiptDoubled(0.5)) == [(STARTED,), (), (ENDED, Outgoing(ENDED.receipt, after=0.5))]


def test_a_short_receipt_gives_a_share_of_the_position() -> None:
    (short,) = reported(ReceiptShort(0.25), ENDED)
    assert short.receipt == PlaybackReceipt("seg_1", "finished", 0.5, False, 1)


def test_a_receipt_of_another_segment_names_it_in_starts_too() -> None:
    started, _, ended = reports(ReceiptOtherSegment("seg_2"))
    assert [each.receipt.segment for each in (*started, *ended)] == ["seg_2", "seg_2"]


def test_a_receipt_that_names_no_segment_cannot_name_another() -> None:
    plain = Outgoing(PlaybackReceipt(None, "finished", 2.0, False))
    assert reported(ReceiptOtherSegment("seg_2"), plain) == (plain,)


def test_a_receipt_of_another_participant_is_sent_by_it_alone() -> None:
    fault = ReceiptOtherParticipant("eve")
    assert reports(fault) == [(STARTED,), (), (Outgoing(ENDED.receipt, by="eve"),)]
    assert list(fault.participants) == ["eve"]


def test_a_deaf_one_hears_so_many_streams_and_answers_on() -> None:
    fault = DeafAfter(2)
    assert [fault.hears(stream(number), True) for number in (1, 2, 3)] == [True, True, False]
    assert answered(fault, streams=3) == Answer()
    assert fault.lasting


def test_a_silent_one_reports_all_and_plays_nothing() -> None:
    fault = Silent()
    assert reports(fault) == reports(Fault())
    assert fault.voice(stream(), b"abc") == bytes(3)


def test_one_that_is_bound_elsewhere_has_no_methods_for_others_and_hears_its_own_sender() -> None:
    fault = BoundElsewhere("external-audio-sender")
    assert answered(fault).unsupported
    assert answered(fault, wire.RPC_STATUS).unsupported
    assert not fault.hears(stream(), True)
    assert answered(fault, caller="external-audio-sender") == Answer()
    assert fault.hears(stream(sender="external-audio-sender"), True)


def test_one_that_rejects_answers_a_clear_so_and_hears_nothing() -> None:
    fault = Rejects("agent-1")
    assert answered(fault) == Answer(payload=wire.CLEAR_REJECT)
    assert answered(fault, wire.RPC_STATUS) == Answer()
    assert not fault.hears(stream(), True)
    assert answered(fault, caller="agent-1") == Answer()


def test_a_slow_one_answers_all_late() -> None:
    assert answered(SlowRpc(2.0)) == answered(SlowRpc(2.0), wire.RPC_STATUS) == Answer(after=2.0)


def test_a_lost_trailer_is_noticed_after_a_time() -> None:
    assert LostTrailer(10.0).trailer_after(stream(), 0.0) == 10


@pytest.mark.parametrize(("fault", "kind"), [(Stalls(1.5), HaltKind.STALLS), (Dies(1.5), HaltKind.DIES)])
def test_a_stall_and_a_death_come_in_mid_stream(fault: Fault, kind: HaltKind) -> None:
    assert fault.halt(stream(), None) == Halt(1.5, kind)


def test_one_that_joins_late_says_how_late() -> None:
    assert JoinsLate(4.0).joins_after == 4


def test_noise_lies_on_silence_at_its_level_and_is_the_same_however_it_is_cut() -> None:
    fault = Noise(-40.0)
    whole = fault.track(0, quiet())
    assert level(whole) == pytest.approx(-40, abs=0.5)
    parts = [fault.track(index, quiet()[index : index + 960]) for index in range(0, RATE, 960)]
    assert np.array_equal(np.concatenate(parts), whole)


def test_another_s_speech_has_syllables_and_pauses() -> None:
    fault = OtherSpeech(-22.0)
    sound = np.concatenate([fault.track(RATE * second, quiet()) for second in range(8)])
    levels = np.sqrt(np.mean(sound.reshape(-1, 480).astype(np.float64) ** 2, axis=1))
    assert (levels > 300).mean() > 0.3
    assert (levels < 30).mean() > 0.1


def test_what_is_added_to_loud_sound_is_clipped_and_does_not_wrap() -> None:
    loud = np.full(RATE, 32_767, np.int16)
    mixed = OtherSpeech(-3.0).track(0, loud)
    assert mixed.max() == 32_767
    assert mixed.min() > -20_000


def test_faults_together_are_applied_in_their_order() -> None:
    fault = Together(ReceiptLate(3.0), ReceiptDoubled(0.5), DeafAfter(1), SlowRpc(1.0), JoinsLate(2.0), Stalls(0.5))
    assert [each.after for each in reported(fault, ENDED)] == [3.0, 3.5]
    assert not fault.hears(stream(2), True)
    assert answered(fault) == Answer(after=1.0)
    assert fault.joins_after == 2
    assert fault.halt(stream(), None) == Halt(0.5, HaltKind.STALLS)
    assert fault.lasting
    assert not Together(ReceiptLate(), Silent()).lasting
    assert list(Together(ReceiptOtherParticipant("eve"), ReceiptLate()).participants) == ["eve"]


def test_a_fault_of_the_first_streams_is_gone_afterwards() -> None:
    fault = FirstStreams(Together(ReceiptMissing(), Silent(), Stalls(), LostTrailer(), SlowRpc(1.0)), 1)
    assert reported(fault, ENDED) == ()
    assert reported(fault, ENDED, number=2) == (ENDED,)
    assert fault.voice(stream(2), b"ab") == b"ab"
    assert fault.halt(stream(2), None) is None
    assert fault.trailer_after(stream(2), 0.0) == 0
    assert answered(fault, streams=1) == Answer(after=1.0)
    assert answered(fault, streams=2) == Answer()
    assert FirstStreams(BoundElsewhere(), 1).hears(stream(2), True)
