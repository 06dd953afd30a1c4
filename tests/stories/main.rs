//! User stories, end to end, through the program itself: one module a story.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed, and says where")]

mod bad_input_is_explained;
mod colors_find_pens;
mod hostile_bytes;
mod kept_to_the_byte;
mod killed_and_resumed;
mod layout_and_fills;
mod mishaps_and_resume;
mod moved_by_hand;
mod neuron_to_ink;
mod own_pens;
mod picture_to_ink;
mod plan_what_plot_does;
mod plot_on_an_axidraw;
mod plot_tells_what_happens;
mod run_plots_to_a_port;
mod seen_before_it_is_ink;
mod stopped_and_continued;
mod strokes_in_the_order_asked_for;
mod support;
mod three_pens_on_every_machine;
mod what_happens_on_the_wire;
