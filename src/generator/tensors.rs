//! What candle keeps of a tensor on the CPU.

use candle_core::{CpuStorage, Layout, Result};

/// The values of a contiguous tensor, in row order.
pub(crate) fn slice<'a>(storage: &'a CpuStorage, layout: &Layout) -> Result<&'a [f32]> {
    let all = storage.as_slice::<f32>()?;
    match layout.contiguous_offsets() {
        Some((from, to)) => Ok(&all[from..to]),
        None => candle_core::bail!("a contiguous tensor is needed"),
    }
}
