//! How long things take.

use std::hint::black_box;
use std::time::{Duration, Instant};

const AT_LEAST: Duration = Duration::from_millis(500);
const PASSES: usize = 3;

/// How many a second: of whole passes over what is asked, for half a second and at least three of them, the median.
/// Whole passes, since one grievance may cost much more than another; the median, since a machine does other things
/// too.
pub fn rate<T, A>(asked: &[T], mut answer: impl FnMut(&T) -> A) -> f64 {
    let begin = Instant::now();
    let mut passes = Vec::new();
    while passes.len() < PASSES || begin.elapsed() < AT_LEAST {
        let begin = Instant::now();
        for one in asked {
            black_box(answer(black_box(one)));
        }
        passes.push(begin.elapsed());
    }
    asked.len() as f64 / median(passes).as_secs_f64()
}

/// The median time of some runs, each with an input of its own that is made before the clock starts.
pub fn time<I, A>(runs: usize, mut input: impl FnMut() -> I, mut run: impl FnMut(I) -> A) -> Duration {
    let once = |_| {
        let input = input();
        let begin = Instant::now();
        let answer = black_box(run(black_box(input)));
        let took = begin.elapsed();
        drop(answer);
        took
    };
    median((0..runs).map(once).collect())
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}
