//! Plain loops, compiled for the vector units that the machine has.

use pulp::{Arch, NullaryFnOnce};

/// Runs `work`, an `#[inline(always)]` closure, compiled for the widest vectors of this machine.
///
/// It is called as `FnMut`: what a closure is called by as `FnOnce` is a function beside it, which the compiler is free
/// not to inline, and which then is compiled for the least machine of its kind.
#[inline(always)]
pub(super) fn vectored<R>(work: impl FnMut() -> R) -> R {
    Arch::new().dispatch(Work(work))
}

struct Work<F>(F);

impl<R, F: FnMut() -> R> NullaryFnOnce for Work<F> {
    type Output = R;

    #[inline(always)]
    fn call(mut self) -> R {
        (self.0)()
    }
}
