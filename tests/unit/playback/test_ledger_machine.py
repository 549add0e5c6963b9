"""The ledger under any order of inputs: no two streams open, first in first out, each segment exactly one end."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from mouthpiece.playback import pacing
from mouthpiece.playback.commands import AskStatus, Clear, Close, Command, Open, Report, Send, Utterance
from mouthpiece.playback.ledger import NO_AVATAR, Ledger
from mouthpiece.profiles import ANAM, AVALUMA, MOUTHPIECE, STOCK, Profile
from mouthpiece.segments import Attempt, Mode, OnLoss, Problem, Receipt, State
from mouthpiece.wire import PlaybackReceipt, Status, StatusEnded, StatusPlaying

GONE = Problem("avatar-left", "The avatar left.", True)


class LedgerMachine(RuleBasedStateMachine):
    """Plays the shell, the avatar and the clock, all of them unreliable."""

    def __init__(self) -> None:
        super().__init__()
        self.ledger = Ledger(avatar_timeout=30.0)
        self.now = 100.0
        self.length: dict[str, float] = {}
        self.utterances: dict[str, Utterance] = {}
        self.order: list[str] = []  # as they should be opened for the first time
        self.ends: dict[str, list[State]] = {}
        self.open: Attempt | None = None
        self.granted: dict[Attempt, float] = {}
        self.sent: dict[Attempt, float] = {}
        self.first_write: dict[Attempt, float] = {}
        self.attempts: dict[str, list[Attempt]] = {}
        self.clears = 0
        self.avatar = False
        self.put_first: set[str] = set()
        self.asked = False
        self.state: dict[str, State] = {}
        self.position: dict[str, float] = {}

    def do(self, commands: list[Command]) -> None:
        for command in commands:
            match command:
                case Open(attempt):
                    assert self.avatar, "a stream was opened without an avatar"
                    assert self.open is None, "two streams open"
                    assert not self.ends[attempt.segment], "a stream for a segment that had ended"
                    self._attempted(attempt)
                    self.open = attempt
                    self.granted[attempt] = self.sent[attempt] = 0.0
                case Send(attempt, up_to):
                    assert self.open == attempt, "audio for a stream that is not open"
                    assert up_to > self.granted[attempt]
                    self.granted[attempt] = up_to
                case Close(attempt):
                    assert self.open == attempt, "closed twice, or never opened"
                    self.open = None
                case Clear():
                    self.clears += 1
                case AskStatus():
                    assert not self.asked, "asked twice at once"
                    self.asked = True
                case Report(segment, type, state, receipt, position) as report:
                    assert not type.startswith("segment.") or type == f"segment.{state}"
                    self._one_way(segment, state)
                    assert position >= self.position.get(segment, 0.0) - 1e-9, "a position fell"
                    self.position[segment] = position
                    if receipt in (Receipt.ESTIMATED, Receipt.UNKNOWN) or position > 0:
                        assert state not in (State.CANCELLED, State.EXPIRED), "something may have been heard"
                        assert state is not State.FAILED or report.problem != NO_AVATAR, (
                            "it was heard, and no avatar came"
                        )
                    if state.terminal:
                        self.ends[segment].append(state)
                        assert len(self.ends[segment]) == 1, "a segment ended twice"
                        if segment in self.order:
                            self.order.remove(segment)
                    else:
                        assert not self.ends[segment], "a segment went on after its end"

    def _one_way(self, segment: str, state: State) -> None:
        if self.state.get(segment) is State.PLAYING:
            assert state is not State.QUEUED, "from playing back to queued"
            assert state not in (State.CANCELLED, State.EXPIRED, State.IGNORED), "it had begun"
        self.state[segment] = state

    def _attempted(self, attempt: Attempt) -> None:
        earlier = self.attempts.setdefault(attempt.segment, [])
        if not earlier:
            assert self.order[0] == attempt.segment, "not first in, first out"
        elif self.utterances[attempt.segment].on_loss is OnLoss.DROP:
            last = earlier[-1]
            assert attempt.offset >= last.offset
            assert attempt.offset <= last.offset + self.sent[last] + 1e-6, "a part was left out"
        if attempt.segment in self.order:
            self.order.remove(attempt.segment)
        earlier.append(attempt)

    # Callers

    @rule(
        length=st.floats(0.05, 6.0),
        mode=st.sampled_from(Mode),
        interruptible=st.booleans(),
        on_loss=st.sampled_from(OnLoss),
        wait=st.booleans(),
        expires=st.none() | st.floats(0.1, 20),
    )
    def enqueue(
        self, length: float, mode: Mode, interruptible: bool, on_loss: OnLoss, wait: bool, expires: float | None
    ) -> None:
        segment = f"seg_{len(self.length)}"
        self.length[segment], self.ends[segment] = length, []
        utterance = Utterance(
            segment, self.now, interruptible, on_loss, wait, None if expires is None else self.now + expires
        )
        self.utterances[segment] = utterance
        if mode is Mode.INTERRUPT:
            self.put_first.add(segment)
            behind = [index for index, other in enumerate(self.order) if other in self.put_first]
            self.order.insert(behind[-1] + 1 if behind else 0, segment)
        elif mode is Mode.APPEND or self.ledger.idle:
            self.order.append(segment)
        self.do(self.ledger.enqueue(utterance, mode, self.now))

    @precondition(lambda self: self.length)
    @rule(pick=st.integers(0, 1000))
    def cancel(self, pick: int) -> None:
        self.do(self.ledger.cancel(f"seg_{pick % len(self.length)}", self.now))

    @rule(drop=st.booleans())
    def interrupt(self, drop: bool) -> None:
        self.do(self.ledger.interrupt(self.now, drop_queued=drop))

    # The shell

    @precondition(lambda self: self.open is not None)
    @rule(share=st.floats(0, 1))
    def write(self, share: float) -> None:
        assert self.open is not None
        attempt = self.open
        total = self.length[attempt.segment] - attempt.offset
        sent = min(total, self.sent[attempt] + share * (min(self.granted[attempt], total) - self.sent[attempt]))
        sent = max(sent, self.sent[attempt])
        self.sent[attempt] = sent
        if sent > 0:
            self.first_write.setdefault(attempt, self.now)
        self.do(self.ledger.progress(attempt, sent, self.now, whole=sent >= total))

    @precondition(lambda self: self.open is not None)
    @rule()
    def source_fails(self) -> None:
        assert self.open is not None
        self.do(self.ledger.source_failed(self.open, Problem("not-audio", "Broken."), self.now))

    @precondition(lambda self: self.open is not None and self.sent[self.open] == 0)
    @rule()
    def stream_does_not_open(self) -> None:
        assert self.open is not None
        attempt, self.open = self.open, None
        self.do(self.ledger.not_opened(attempt, GONE, self.now))
        self.do(self.ledger.tick(self.now))

    @rule(seconds=st.floats(0.001, 8.0))
    def time_passes(self, seconds: float) -> None:
        until = self.now + seconds
        turns = 0
        while (wakeup := self.ledger.next_wakeup(self.now)) is not None and wakeup < until:
            assert wakeup > self.now
            turns += 1
            assert turns < 30 + 12 * seconds, "woken over and over for nothing"
            self.now = wakeup
            self.do(self.ledger.tick(self.now))
        self.now = until
        self.do(self.ledger.tick(self.now))

    # The avatar

    @rule(profile=st.sampled_from([MOUTHPIECE, AVALUMA, STOCK, ANAM]))
    def avatar_comes(self, profile: Profile) -> None:
        if not self.avatar:
            self.avatar, self.asked = True, False
            self.do(self.ledger.avatar_ready(profile, self.now))

    @rule()
    def avatar_goes(self) -> None:
        self.avatar = self.asked = False
        self.do(self.ledger.avatar_left(GONE, self.now))

    @precondition(lambda self: self.avatar and self.open is not None)
    @rule(heard=st.floats(0.1, 8.0), profile=st.sampled_from([MOUTHPIECE, STOCK]))
    def avatar_is_lost_in_mid_segment_and_replaced(self, heard: float, profile: Profile) -> None:
        assert self.open is not None
        self._lose_avatar_after(heard, self.open.segment)
        self.avatar_comes(profile)

    @precondition(lambda self: self.ledger.idle and not self.ledger.paused)
    @rule(
        heard=st.floats(0.1, 5.0),
        expires=st.none() | st.floats(5.1, 20),
        then=st.sampled_from(["another avatar", "cancel", "drop", "time"]),
        profile=st.sampled_from([MOUTHPIECE, STOCK]),
    )
    def avatar_of_a_replay_is_lost(self, heard: float, expires: float | None, then: str, profile: Profile) -> None:
        self.avatar_comes(profile)
        self.enqueue(6.0, Mode.APPEND, True, OnLoss.REPLAY, False, expires)
        if self.open is None:
            return  # the avatar that is there is silent
        segment = self.open.segment
        self._lose_avatar_after(heard, segment)
        match then:
            case "another avatar":
                self.avatar_comes(profile)
            case "cancel":
                self.do(self.ledger.cancel(segment, self.now))
            case "drop":
                self.interrupt(True)
            case "time":  # it expires, or no other avatar comes
                self.time_passes(31.0)

    def _lose_avatar_after(self, heard: float, segment: str) -> None:
        self.write(1.0)
        self.reported(None, "started", None, 0.0, False)
        self.do(self.ledger.reported(PlaybackReceipt(segment, "started", 0.0, False), self.now))
        self.time_passes(heard)
        self.avatar_goes()

    @precondition(lambda self: self.avatar)
    @rule(
        pick=st.none() | st.integers(0, 1000),
        event=st.sampled_from(["started", "finished"]),
        attempt=st.none() | st.integers(1, 4),
        position=st.floats(-1, 10),
        interrupted=st.booleans(),
    )
    def reported(self, pick: int | None, event: str, attempt: int | None, position: float, interrupted: bool) -> None:
        receipt = PlaybackReceipt(self._named(pick), event, position, interrupted, attempt)
        self.do(self.ledger.reported(receipt, self.now))

    @precondition(lambda self: any(len(attempts) > 1 for attempts in self.attempts.values()))
    @rule(pick=st.integers(0, 1000), event=st.sampled_from(["started", "finished"]), interrupted=st.booleans())
    def an_earlier_attempt_is_reported_late(self, pick: int, event: str, interrupted: bool) -> None:
        again = [attempts for attempts in self.attempts.values() if len(attempts) > 1]
        earlier = again[pick % len(again)][0]
        self.do(self.ledger.tick(self.now))
        receipt = PlaybackReceipt(earlier.segment, event, self.sent[earlier], interrupted, earlier.number)
        assert self.ledger.reported(receipt, self.now) == [], "it says nothing of the attempt that is on its way"

    def _named(self, pick: int | None) -> str | None:
        return None if pick is None or not self.length else f"seg_{pick % len(self.length)}"

    @precondition(lambda self: self.clears > 0)
    @rule(ok=st.booleans())
    def clear_is_answered(self, ok: bool) -> None:
        self.clears -= 1
        self.do(self.ledger.clear_answered(ok, self.now))

    @precondition(lambda self: self.asked)
    @rule(answered=st.booleans(), playing=st.none() | st.integers(0, 1000), ended=st.none() | st.integers(0, 1000))
    def status_is_answered(self, answered: bool, playing: int | None, ended: int | None) -> None:
        self.asked = False
        one, other = self._named(playing), self._named(ended)
        status = Status(
            None if one is None else StatusPlaying(one, 0.5),
            (),
            () if other is None else (StatusEnded(other, 0.5, interrupted=True),),
        )
        self.do(self.ledger.status(status if answered else None, self.now))

    @rule(seconds=st.floats(0.0, 40.0))
    def livekit_is_away(self, seconds: float) -> None:
        self.avatar = self.asked = False
        self.do(self.ledger.connection_lost(GONE, self.now))
        self.time_passes(seconds)
        self.do(self.ledger.connection_back(self.now))

    @rule(before=st.floats(0.0, 2.0), seconds=st.floats(0.0, 8.0), was_away=st.booleans())
    def livekit_stalls(self, before: float, seconds: float, was_away: bool) -> None:
        granted = dict(self.granted)
        self.do(self.ledger.stalled(self.now - before, self.now))
        self.time_passes(seconds)
        assert self.granted == granted, "nothing is sent meanwhile"
        self.do(self.ledger.flows(self.now, was_away=was_away))

    @rule()
    def pause(self) -> None:
        self.do(self.ledger.pause(self.now))

    @rule()
    def resume(self) -> None:
        self.do(self.ledger.resume(self.now))

    @rule(count=st.integers(0, 2))
    def viewers(self, count: int) -> None:
        self.do(self.ledger.viewers(count, self.now))

    @initialize()
    def nothing_yet(self) -> None:
        assert self.ledger.idle

    @invariant()
    def nothing_is_lost(self) -> None:
        known = set(self.ledger.queued) | set(self.ledger.in_flight)
        for segment, ends in self.ends.items():
            assert (segment in known) != bool(ends), "a segment is neither waiting nor ended, or both"

    @invariant()
    def a_position_that_is_asked_for_is_no_less_than_the_last_report(self) -> None:
        for segment in self.ledger.in_flight:
            position = self.ledger.position(segment, self.now)
            assert position is not None
            assert position >= self.position.get(segment, 0.0) - 1e-9

    @invariant()
    def the_lead_is_bounded(self) -> None:
        if self.open in self.first_write and self.avatar:
            elapsed = self.now - self.first_write[self.open]
            assert self.granted[self.open] <= elapsed + pacing.LEAD + 1e-6

    def teardown(self) -> None:
        self.do(self.ledger.avatar_left(GONE, self.now))
        self.avatar = False
        self.do(self.ledger.viewers(1, self.now))
        self.do(self.ledger.resume(self.now))
        for _ in range(1000):
            wakeup = self.ledger.next_wakeup(self.now)
            if wakeup is None:
                break
            self.now = wakeup
            self.do(self.ledger.tick(self.now))
        assert self.ledger.idle
        assert self.open is None
        assert all(len(ends) == 1 for ends in self.ends.values())


TestLedgerMachine = LedgerMachine.TestCase
TestLedgerMachine.settings = settings(max_examples=150, stateful_step_count=60)
