//! Recordings and pauses joined into one prompt.

use std::{mem, sync::Arc};

use crate::audio::{Hz8k, Pcm, Rate, level};

/// One recording or pause of a prompt.
pub(super) enum Piece {
    /// Words: stand by themselves.
    Words(Arc<Pcm<Hz8k>>),
    /// A unit: joined to its neighbours.
    Unit(Arc<Pcm<Hz8k>>),
    /// Silence in ms.
    Pause(u32),
}

/// Overlap of neighbouring units: syllables of one word run into each other.
pub(super) const OVERLAP_MS: u32 = 12;

/// How long a run of units takes to rise from silence, and to fall into it.
const ONSET_MS: u32 = 40;

/// The pieces one after the other; neighbouring units run into each other.
pub(super) fn assemble(pieces: Vec<Piece>) -> Pcm<Hz8k> {
    let mut out = Pcm::silence(0);
    let mut units: Vec<Pcm<Hz8k>> = Vec::new();
    for piece in pieces {
        match piece {
            Piece::Unit(unit) => units.push(Arc::unwrap_or_clone(unit)),
            Piece::Words(words) => {
                flush(&mut units, &mut out);
                out.extend(&words);
            }
            Piece::Pause(ms) => {
                flush(&mut units, &mut out);
                out.extend(&Pcm::silence((ms * Hz8k::HZ / 1_000) as usize));
            }
        }
    }
    flush(&mut units, &mut out);
    out
}

fn flush(units: &mut Vec<Pcm<Hz8k>>, out: &mut Pcm<Hz8k>) {
    // Cut out of running speech, they begin and end with a trace of their neighbours there.
    if let Some(first) = units.first_mut() {
        level::fade_in(first, ONSET_MS);
    }
    if let Some(last) = units.last_mut() {
        level::fade_out(last, ONSET_MS);
    }
    out.extend(&level::join_crossfade(&mem::take(units), OVERLAP_MS));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sound(len: usize) -> Arc<Pcm<Hz8k>> {
        Arc::new(Pcm::new(vec![1_000; len]))
    }

    #[test]
    fn units_overlap_and_words_do_not() {
        let both = assemble(vec![Piece::Unit(sound(800)), Piece::Unit(sound(800))]);
        assert_eq!(both.len(), 1_600 - 96);
        let both = assemble(vec![Piece::Words(sound(800)), Piece::Words(sound(800))]);
        assert_eq!(both.len(), 1_600);
    }

    #[test]
    fn a_pause_parts_units() {
        let pieces = vec![Piece::Unit(sound(800)), Piece::Pause(120), Piece::Unit(sound(800))];
        let joined = assemble(pieces);
        assert_eq!(joined.len(), 800 + 960 + 800);
        assert!(joined.samples()[800..1_760].iter().all(|&s| s == 0));
    }

    #[test]
    fn a_joint_has_no_gap() {
        let joined = assemble(vec![Piece::Unit(sound(800)), Piece::Unit(sound(800))]);
        let onset = 320;
        let inside = &joined.samples()[onset..joined.len() - onset];
        assert!(inside.iter().all(|&s| s >= 1_000));
    }
}
