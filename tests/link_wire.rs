//! Both messages of the link: what goes out comes in, and nothing that was damaged does.
#![cfg(feature = "car")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a test may stop at the first surprise"
)]

use hairpin::domain::Ask;
use hairpin::guardian::answer::Answer;
use hairpin::guardian::record::{decode, encode};
use hairpin::guardian::wire::{LENGTH, WireError};
use hairpin::lease::{Answered, Cause, GateState, Mode, Phase, Record, Refusal};
use hairpin::units::{Instant, Permille};
use proptest::prelude::{Just, ProptestConfig, Strategy, any, proptest};
use proptest::sample::select;

type Message = [u8; LENGTH];

const MODES: [Mode; 3] = [Mode::Idle, Mode::Autonomous, Mode::Manual];
const ASKS: [Ask; 4] = [Ask::Nothing, Ask::Arm, Ask::Disarm, Ask::Stop];
const CAUSES: [Cause; 6] = [
    Cause::Operator,
    Cause::LeaseLost,
    Cause::DriverGone,
    Cause::PinsFailed,
    Cause::PinsMoved,
    Cause::GuardianEnding,
];
const ANSWERS: [Answered; 10] = [
    Answered::Nothing,
    Answered::Accepted,
    Answered::Withheld,
    Answered::Refused(Refusal::Session),
    Answered::Refused(Refusal::Sequence),
    Answered::Refused(Refusal::Stale),
    Answered::Refused(Refusal::Ahead),
    Answered::Refused(Refusal::NoEvidence),
    Answered::Refused(Refusal::Pins),
    Answered::Refused(Refusal::Ending),
];

fn record() -> Record {
    Record {
        session: 0x0102_0304,
        seq: 0x1112_1314_1516_1718,
        frame: 0x2122_2324_2526_2728,
        captured_at: Instant(0x3132_3334_3536_3738),
        valid_until: Instant(0x4142_4344_4546_4748),
        operator_seq: 0x5152_5354_5556_5758,
        mode: Mode::Manual,
        ask: Ask::Stop,
        steering: Permille::new(-1000).unwrap(),
        throttle: Permille::new(999).unwrap(),
    }
}

fn answer() -> Answer {
    Answer {
        session: 0x0102_0304,
        seq: 0x1112_1314_1516_1718,
        now: Instant(0x2122_2324_2526_2728),
        phase: Phase::Arming { since: Instant(0x3132_3334_3536_3738) },
        answered: Answered::Refused(Refusal::Ending),
        ask: Ask::Disarm,
        operator_seq: 0x4142_4344_4546_4748,
        steering_ns: 1_500_000,
        throttle_ns: 1_234_567,
        gate: GateState::Shut,
    }
}

/// CRC-32 by the other way round: the polynomial as it is printed, highest bit first, on bytes turned over.
fn crc32(bytes: &[u8]) -> u32 {
    let mut rest = u32::MAX;
    for byte in bytes {
        rest ^= u32::from(byte.reverse_bits()) << 24;
        for _ in 0..8 {
            rest = if rest >> 31 == 1 { (rest << 1) ^ 0x04c1_1db7 } else { rest << 1 };
        }
    }
    !rest.reverse_bits()
}

/// A message with other bytes at `place`, and a checksum that fits.
fn forged(mut message: Message, place: usize, bytes: &[u8]) -> Message {
    message[place..place + bytes.len()].copy_from_slice(bytes);
    let crc = crc32(&message[..60]);
    message[60..].copy_from_slice(&crc.to_le_bytes());
    message
}

#[test]
fn the_checksum_is_that_of_ethernet() {
    assert_eq!(crc32(b"123456789"), 0xcbf4_3926, "the published check value");
    for message in [encode(&record()), answer().encode()] {
        assert_eq!(message[60..], crc32(&message[..60]).to_le_bytes());
    }
}

#[test]
fn a_record_lies_on_the_wire_as_it_should() {
    let message = encode(&record());
    let mut wanted = b"HpR\x01".to_vec();
    wanted.extend([4, 3, 2, 1]);
    for high in [0x10_u8, 0x20, 0x30, 0x40, 0x50] {
        wanted.extend((1..=8).rev().map(|low| high + low));
    }
    wanted.extend([0x18, 0xfc, 0xe7, 0x03, 2, 3]);
    wanted.resize(60, 0);
    assert_eq!(message[..60], wanted);
}

#[test]
fn an_answer_lies_on_the_wire_as_it_should() {
    let message = answer().encode();
    let mut wanted = b"HpA\x01".to_vec();
    wanted.extend([4, 3, 2, 1]);
    for high in [0x10_u8, 0x20, 0x30, 0x40] {
        wanted.extend((1..=8).rev().map(|low| high + low));
    }
    wanted.extend(1_500_000_u32.to_le_bytes());
    wanted.extend(1_234_567_u32.to_le_bytes());
    wanted.extend([2, 0, 9, 2, 1]);
    wanted.resize(60, 0);
    assert_eq!(message[..60], wanted);
}

#[test]
fn every_turned_bit_is_noticed() {
    let (record, answer) = (encode(&record()), answer().encode());
    for bit in 0..LENGTH * 8 {
        let turned = |mut message: Message| {
            message[bit / 8] ^= 1 << (bit % 8);
            message
        };
        let refusal = decode(&turned(record)).expect_err("damaged");
        assert!(matches!(refusal, WireError::Checksum { .. }), "bit {bit}: {refusal}");
        let refusal = Answer::decode(&turned(answer)).expect_err("damaged");
        assert!(matches!(refusal, WireError::Checksum { .. }), "bit {bit}: {refusal}");
    }
}

#[test]
fn another_length_is_none() {
    let (mut record, mut answer) = (encode(&record()).to_vec(), answer().encode().to_vec());
    record.push(0);
    answer.push(0);
    for length in (0..=LENGTH + 1).filter(|length| *length != LENGTH) {
        let wanted = WireError::Length { saw: length };
        assert_eq!(decode(&record[..length]), Err(wanted));
        assert_eq!(Answer::decode(&answer[..length]), Err(wanted));
    }
    assert_eq!(WireError::Length { saw: 3 }.to_string(), "3 bytes, wanted 64");
}

#[test]
fn another_kind_or_version_is_none() {
    let (record, answer) = (encode(&record()), answer().encode());
    let mark = |bytes: &[u8; 4]| {
        let saw = u64::from(u32::from_le_bytes(*bytes));
        Some(WireError::Value { what: "the mark", saw })
    };
    assert_eq!(decode(&answer).err(), mark(b"HpA\x01"));
    assert_eq!(Answer::decode(&record).err(), mark(b"HpR\x01"));
    assert_eq!(decode(&forged(record, 0, b"HpR\x02")).err(), mark(b"HpR\x02"));
    assert_eq!(Answer::decode(&forged(answer, 3, &[0])).err(), mark(b"HpA\x00"));
}

#[test]
fn values_out_of_their_range_are_refused_by_name() {
    let record = encode(&record());
    let refused = |what, saw| WireError::Value { what, saw };
    for (place, what) in [(48, "steering"), (50, "throttle")] {
        for value in [1001_i16, -1001, i16::MAX, i16::MIN] {
            let forged = forged(record, place, &value.to_le_bytes());
            assert_eq!(decode(&forged), Err(refused(what, u64::from(value.unsigned_abs()))));
        }
        for value in [1000_i16, -1000, 0] {
            assert!(decode(&forged(record, place, &value.to_le_bytes())).is_ok());
        }
    }
    for (place, what, known) in [(52, "the mode", 3_u8), (53, "the ask", 4)] {
        for value in 0..=u8::MAX {
            let wanted = if value < known { None } else { Some(refused(what, u64::from(value))) };
            assert_eq!(decode(&forged(record, place, &[value])).err(), wanted);
        }
    }
    let fields = [
        (48, "the phase", 5_u8),
        (49, "the cause", 6),
        (50, "the answer", 10),
        (51, "the ask", 4),
        (52, "the gate", 2),
    ];
    for (place, what, known) in fields {
        for value in 0..=u8::MAX {
            let wanted = if value < known { None } else { Some(refused(what, u64::from(value))) };
            assert_eq!(Answer::decode(&forged(answer().encode(), place, &[value])).err(), wanted);
        }
    }
    assert_eq!(refused("the mode", 7).to_string(), "the mode is 7");
}

fn shares() -> impl Strategy<Value = Permille> {
    (-1000..=1000_i16).prop_map(|share| Permille::new(share).unwrap())
}

fn phases() -> impl Strategy<Value = Phase> {
    let arming = any::<u64>().prop_map(|since| Phase::Arming { since: Instant(since) });
    let fault = select(&CAUSES[..]).prop_map(|cause| Phase::Fault { cause });
    proptest::prop_oneof![Just(Phase::Boot), Just(Phase::Disarmed), Just(Phase::Armed), arming, fault]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 10_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_record_comes_back(
        session in any::<u32>(),
        numbers in any::<[u64; 5]>(),
        mode in select(&MODES[..]),
        ask in select(&ASKS[..]),
        steering in shares(),
        throttle in shares(),
    ) {
        let [seq, frame, captured_at, valid_until, operator_seq] = numbers;
        let (captured_at, valid_until) = (Instant(captured_at), Instant(valid_until));
        let record =
            Record { session, seq, frame, captured_at, valid_until, mode, ask, operator_seq, steering, throttle };
        assert_eq!(decode(&encode(&record)), Ok(record));
    }

    #[test]
    fn an_answer_comes_back(
        session in any::<u32>(),
        numbers in any::<[u64; 3]>(),
        phase in phases(),
        answered in select(&ANSWERS[..]),
        ask in select(&ASKS[..]),
        pulses in any::<[u32; 2]>(),
        open in any::<bool>(),
    ) {
        let ([seq, now, operator_seq], [steering_ns, throttle_ns]) = (numbers, pulses);
        let gate = if open { GateState::Open } else { GateState::Shut };
        let now = Instant(now);
        let answer =
            Answer { session, seq, now, phase, answered, ask, operator_seq, steering_ns, throttle_ns, gate };
        assert_eq!(Answer::decode(&answer.encode()), Ok(answer));
    }

    /// Also behind a checksum that fits: nothing comes in but what could have gone out.
    #[test]
    fn arbitrary_bytes_do_no_harm(
        bytes in proptest::collection::vec(any::<u8>(), 0..130),
        message in proptest::array::uniform32(any::<u8>()),
    ) {
        assert!(decode(&bytes).is_err() && Answer::decode(&bytes).is_err());
        for mark in [b"HpR\x01", b"HpA\x01"] {
            let mut whole = [0; LENGTH];
            whole[..32].copy_from_slice(&message);
            whole[24..56].copy_from_slice(&message);
            let whole = forged(whole, 0, mark);
            if let Ok(record) = decode(&whole) {
                assert_eq!(decode(&encode(&record)), Ok(record));
            }
            if let Ok(answer) = Answer::decode(&whole) {
                assert_eq!(Answer::decode(&answer.encode()).map(|again| again.answered), Ok(answer.answered));
            }
        }
    }
}
