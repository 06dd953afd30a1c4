//! Networks, forward and backward to the picture, against PyTorch on one thread: `RAYON_NUM_THREADS=1 cargo bench
//! --bench networks`.
//!
//! PyTorch takes part if `TRACEUR_TORCH_PYTHON` names a Python interpreter that has it. Both are measured in CPU time
//! of the process, so that other work on the machine counts less; the rounds of the two alternate.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Instant;

use candle_core::{Device, Tensor, Var};
use traceur_generator::network::{Layer, Net, Network};

/// Network, layer, side of the picture, steps of a round.
const CASES: [(Net, &str, usize, usize); 6] = [
    (Net::Lite0, "b6", 224, 20),
    (Net::Lite0, "b9", 224, 20),
    (Net::Lite0, "b6", 160, 40),
    (Net::Hed16, "conv2_2", 224, 5),
    (Net::Hed16, "conv3_3", 224, 4),
    (Net::Hed16, "conv4_3", 224, 3),
];
const ROUNDS: usize = 5;

/// Reads lines `net layer side steps`, answers with the CPU ms of a forward pass and of a step.
const TORCH: &str = r#"
import sys, time, torch
import torch.nn as nn, torch.nn.functional as F
torch.set_num_threads(1)

class Same(nn.Conv2d):
    def forward(self, x):
        k, s = self.kernel_size[0], self.stride[0]
        if s == 1:
            return F.conv2d(x, self.weight, self.bias, 1, k // 2, 1, self.groups)
        p = max((-(-x.shape[-1] // s) - 1) * s + k - x.shape[-1], 0)
        x = F.pad(x, (p // 2, p - p // 2, p // 2, p - p // 2))
        return F.conv2d(x, self.weight, self.bias, s, 0, 1, self.groups)

class Block(nn.Module):
    def __init__(self, k, s, i, h, o):
        super().__init__()
        expand = [Same(i, h, 1), nn.ReLU6(True)] if h != i else []
        self.body = nn.Sequential(*expand, Same(h, h, k, s, groups=h), nn.ReLU6(True), Same(h, o, 1))
        self.residual = s == 1 and i == o
    def forward(self, x):
        return x + self.body(x) if self.residual else self.body(x)

BLOCKS = [(3,1,32,32,16),(3,2,16,96,24),(3,1,24,144,24),(5,2,24,144,40),(5,1,40,240,40),
          (3,2,40,240,80),(3,1,80,480,80),(3,1,80,480,80),(5,1,80,480,112),(5,1,112,672,112)]

def build(net, layer):
    if net == "lite0":
        return nn.Sequential(Same(3, 32, 3, 2), nn.ReLU6(True), *[Block(*b) for b in BLOCKS[:int(layer[1:]) + 1]])
    ops, channels = [], 3
    for stage, width in enumerate([64, 128, 256, 512]):
        for index in range(2 if stage < 2 else 3):
            ops += [nn.Conv2d(channels, width, 3, padding=1), nn.ReLU(True)]
            channels = width
            if f"conv{stage + 1}_{index + 1}" == layer:
                return nn.Sequential(*ops)
        ops.append(nn.MaxPool2d(2))

nets = {}
print(torch.__version__, flush=True)
for line in sys.stdin:
    net, layer, side, steps = line.split()
    if (net, layer) not in nets:
        nets[net, layer] = build(net, layer).requires_grad_(False)
    model, steps = nets[net, layer], int(steps)
    x = torch.rand(1, 3, int(side), int(side), requires_grad=True)
    def step():
        x.grad = None
        model(x)[:, 1].mean().backward()
    step()
    begin = time.process_time()
    for _ in range(steps):
        model(x)
    forward = time.process_time() - begin
    begin = time.process_time()
    for _ in range(steps):
        step()
    print(1e3 * forward / steps, 1e3 * (time.process_time() - begin) / steps, flush=True)
"#;

#[expect(clippy::print_stdout, reason = "the table is what a bench is run for")]
fn main() {
    let mut torch = Torch::start();
    let peer = torch.as_ref().map_or("no PyTorch".to_owned(), |torch| format!("PyTorch {}", torch.version));
    println!("CPU ms, best of {ROUNDS} rounds, {} threads; {peer}", rayon::current_num_threads());
    println!("layer               px  forward  fwd+bwd   torch fwd  fwd+bwd   ratio");
    for (net, layer, side, steps) in CASES {
        let network = Network::load(net).expect("the weights are embedded");
        let (mut ours, mut theirs) = ([f64::MAX; 2], [f64::MAX; 2]);
        for _ in 0..ROUNDS {
            ours = least(ours, measure(&network, layer, side, steps));
            if let Some(torch) = &mut torch {
                theirs = least(theirs, torch.measure(net, layer, side, steps));
            }
        }
        let name = format!("{net}:{layer}");
        print!("{name:<18} {side:>3} {:>8.1} {:>8.1}", ours[0], ours[1]);
        if torch.is_some() {
            print!("    {:>8.1} {:>8.1}   {:>5.2}", theirs[0], theirs[1], ours[1] / theirs[1]);
        }
        println!();
    }
    println!("memory at the end: {} MB", resident_mb());
}

fn least(a: [f64; 2], b: [f64; 2]) -> [f64; 2] {
    [a[0].min(b[0]), a[1].min(b[1])]
}

/// CPU ms of a forward pass, and of one with the way back.
fn measure(network: &Network, layer: &str, side: usize, steps: usize) -> [f64; 2] {
    let layer = [Layer::named(network.net(), layer).expect("the layer exists")];
    let values: Vec<f32> = (0..3 * side * side).map(|i| (i * 7919 % 1009) as f32 / 1009.0).collect();
    let xs = Var::from_vec(values, (1, 3, side, side), &Device::Cpu).expect("as many values as the shape");
    let mean = |xs: &Tensor| {
        let ys = network.forward(xs, &layer).expect("a picture of the right shape");
        ys[0].narrow(1, 1, 1).and_then(|channel| channel.mean_all()).expect("there is a channel 1")
    };
    let step = || mean(&xs).backward().expect("the mean depends on the picture");
    step();
    let begin = cpu_ms();
    for _ in 0..steps {
        mean(&xs.detach());
    }
    let forward = cpu_ms() - begin;
    let begin = cpu_ms();
    for _ in 0..steps {
        step();
    }
    [forward / steps as f64, (cpu_ms() - begin) / steps as f64]
}

/// CPU time of this process so far, ms; where the system doesn't tell, wall time.
fn cpu_ms() -> f64 {
    static BEGIN: std::sync::OnceLock<Instant> = std::sync::OnceLock::new();
    let threads = std::fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
    // The first number of a thread's schedstat is the time that it has run, ns.
    let ran = threads.filter_map(|thread| {
        let text = std::fs::read_to_string(thread.path().join("schedstat")).ok()?;
        text.split_whitespace().next()?.parse::<f64>().ok()
    });
    let total: f64 = ran.sum();
    if total > 0.0 { total / 1e6 } else { BEGIN.get_or_init(Instant::now).elapsed().as_secs_f64() * 1e3 }
}

fn resident_mb() -> u64 {
    let text = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    text.split_whitespace().nth(1).and_then(|pages| pages.parse::<u64>().ok()).unwrap_or(0) * 4096 / 1_000_000
}

/// PyTorch in a process of its own.
struct Torch {
    version: String,
    child: Child,
    asked: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Torch {
    fn start() -> Option<Self> {
        let python = std::env::var_os("TRACEUR_TORCH_PYTHON")?;
        let mut child = Command::new(python)
            .args(["-c", TORCH])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .ok()?;
        let (asked, answers) = (child.stdin.take()?, child.stdout.take()?);
        let mut torch = Self { version: String::new(), child, asked, answers: BufReader::new(answers) };
        torch.version = torch.line()?;
        Some(torch)
    }

    fn line(&mut self) -> Option<String> {
        let mut line = String::new();
        self.answers.read_line(&mut line).ok().filter(|count| *count > 0)?;
        Some(line.trim().to_owned())
    }

    fn measure(&mut self, net: Net, layer: &str, side: usize, steps: usize) -> [f64; 2] {
        writeln!(self.asked, "{net} {layer} {side} {steps}").expect("PyTorch is still running");
        let answer = self.line().expect("PyTorch answers");
        let numbers: Vec<f64> = answer.split_whitespace().filter_map(|number| number.parse().ok()).collect();
        [numbers[0], numbers[1]]
    }
}

impl Drop for Torch {
    fn drop(&mut self) {
        // It ends by itself when its stdin closes; here it is only not waited for.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
