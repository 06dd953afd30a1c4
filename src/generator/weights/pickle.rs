//! A reader of Python pickles, as far as a PyTorch state dictionary needs it, and safe with hostile bytes.
//!
//! Nothing in a pickle is ever called: the two functions of a state dictionary (an ordered dictionary, a tensor over
//! a storage) are known by name, any other is refused. Memory stays within a small multiple of the input: texts are
//! cut out of it, the steps, the nesting and the shapes are bounded. Opcodes: CPython's `Lib/pickletools.py`,
//! protocol 2.

use std::collections::HashMap;
use std::rc::Rc;

/// Steps of one pickle; the real file of EfficientNet-Lite0 needs 10,000.
const MOST_STEPS: usize = 200_000;
/// Nesting of tuples, lists and dictionaries; the real file needs 4.
const MOST_NESTED: u8 = 32;
/// Axes of a tensor.
const MOST_AXES: usize = 8;

/// Why a pickle was refused: text for [`super::Error`].
pub(super) type Result<T> = std::result::Result<T, String>;

/// What stands on the pickle machine's stack. Containers carry how deep they nest.
#[derive(Clone)]
pub(super) enum Value {
    /// None, a boolean, a number or an object that nothing here asks for.
    Opaque,
    Int(i64),
    /// A number of more than 8 bytes, little endian two's complement.
    Long(Rc<[u8]>),
    Text(Rc<str>),
    /// `module name`.
    Class(Rc<str>),
    Tuple(Rc<[Self]>, u8),
    List(Rc<Vec<Self>>, u8),
    Dict(Rc<Vec<(Self, Self)>>, u8),
    Storage(Rc<Storage>),
    Tensor(Rc<View>),
}

/// A persistent storage: numbers that stand elsewhere in the file.
pub(super) struct Storage {
    /// `FloatStorage`, `LongStorage` …
    pub(super) kind: Rc<str>,
    pub(super) key: Rc<str>,
    /// Numbers in it.
    pub(super) numel: u64,
}

/// A tensor as a strided view of a storage; offset and strides count numbers.
#[derive(Clone)]
pub(super) struct View {
    pub(super) storage: Rc<Storage>,
    pub(super) offset: usize,
    pub(super) shape: Vec<usize>,
    pub(super) strides: Vec<usize>,
}

/// Bytes still to be read.
pub(super) struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// Where the next byte stands.
    pub(super) fn position(&self) -> usize {
        self.at
    }

    /// The next `count` bytes.
    pub(super) fn take(&mut self, count: usize) -> Result<&'a [u8]> {
        let end = self.at.checked_add(count).filter(|end| *end <= self.bytes.len());
        let Some(end) = end else {
            return Err(format!(
                "the file ends at byte {}, inside a value of {count} bytes",
                self.bytes.len()
            ));
        };
        let taken = &self.bytes[self.at..end];
        self.at = end;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N)?);
        Ok(array)
    }

    fn byte(&mut self) -> Result<u8> {
        Ok(self.array::<1>()?[0])
    }

    fn u32(&mut self) -> Result<u32> {
        Ok(u32::from_le_bytes(self.array()?))
    }

    /// A little-endian count of 8 bytes.
    pub(super) fn u64(&mut self) -> Result<u64> {
        Ok(u64::from_le_bytes(self.array()?))
    }

    fn text(&mut self, count: usize) -> Result<&'a str> {
        let at = self.at;
        std::str::from_utf8(self.take(count)?).map_err(|_| format!("the text at byte {at} isn't UTF-8"))
    }

    fn line(&mut self) -> Result<&'a str> {
        let rest = &self.bytes[self.at..];
        let Some(count) = rest.iter().position(|byte| *byte == b'\n') else {
            return Err(format!("the name at byte {} never ends", self.at));
        };
        let line = self.text(count)?;
        self.at += 1;
        Ok(line)
    }

    /// Reads one pickle, from where the reader stands to the pickle's STOP.
    pub(super) fn pickle(&mut self) -> Result<Value> {
        let mut machine = Machine { stack: Vec::new(), marks: Vec::new(), memo: HashMap::new() };
        for _ in 0..MOST_STEPS {
            let at = self.at;
            let opcode = self.byte()?;
            if opcode == b'.' {
                return machine.pop();
            }
            machine.step(opcode, self).map_err(|why| format!("{why} (opcode {opcode:#04x} at byte {at})"))?;
        }
        Err(format!("a pickle of more than {MOST_STEPS} steps"))
    }
}

struct Machine {
    stack: Vec<Value>,
    /// Stack heights, innermost last.
    marks: Vec<usize>,
    memo: HashMap<u32, Value>,
}

impl Machine {
    fn step(&mut self, opcode: u8, input: &mut Reader<'_>) -> Result<()> {
        match opcode {
            0x80 => drop(input.byte()?), // PROTO
            b'N' | 0x88 | 0x89 => self.stack.push(Value::Opaque),
            b'G' => {
                input.array::<8>()?;
                self.stack.push(Value::Opaque);
            }
            b'K' => self.push_int(i64::from(input.byte()?)),
            b'M' => self.push_int(i64::from(u16::from_le_bytes(input.array()?))),
            b'J' => self.push_int(i64::from(i32::from_le_bytes(input.array()?))),
            0x8a => {
                let count = usize::from(input.byte()?);
                let value = long(input.take(count)?);
                self.stack.push(value);
            }
            b'X' => {
                let count = input.u32()? as usize;
                let text = Value::Text(input.text(count)?.into());
                self.stack.push(text);
            }
            b'c' => {
                let class = Value::Class(format!("{} {}", input.line()?, input.line()?).into());
                self.stack.push(class);
            }
            b'(' => self.marks.push(self.stack.len()),
            b')' => self.push_tuple(Vec::new())?,
            0x85..=0x87 => {
                let items = self.pop_many(usize::from(opcode - 0x84))?;
                self.push_tuple(items)?;
            }
            b't' => {
                let items = self.pop_marked()?;
                self.push_tuple(items)?;
            }
            b']' => self.stack.push(Value::List(Rc::default(), 1)),
            b'}' => self.stack.push(Value::Dict(Rc::default(), 1)),
            b'a' => {
                let item = self.pop_many(1)?;
                self.append(item)?;
            }
            b'e' => {
                let items = self.pop_marked()?;
                self.append(items)?;
            }
            b's' => {
                let pair = self.pop_many(2)?;
                self.set_items(pair)?;
            }
            b'u' => {
                let pairs = self.pop_marked()?;
                self.set_items(pairs)?;
            }
            b'b' => drop(self.pop()?), // BUILD: attributes (`_metadata`) aren't needed
            b'q' => {
                let key = u32::from(input.byte()?);
                self.remember(key)?;
            }
            b'r' => {
                let key = input.u32()?;
                self.remember(key)?;
            }
            b'h' => {
                let key = u32::from(input.byte()?);
                self.recall(key)?;
            }
            b'j' => {
                let key = input.u32()?;
                self.recall(key)?;
            }
            b'Q' => {
                let storage = storage(&self.pop()?)?;
                self.stack.push(Value::Storage(storage.into()));
            }
            b'R' => {
                let arguments = self.pop()?;
                let function = self.pop()?;
                self.stack.push(call(&function, &arguments)?);
            }
            _ => return Err("not an instruction that a state dictionary needs".into()),
        }
        Ok(())
    }

    fn pop(&mut self) -> Result<Value> {
        let floor = self.marks.last().copied().unwrap_or(0);
        if self.stack.len() <= floor {
            return Err("the pickle takes a value that isn't there".into());
        }
        self.stack.pop().ok_or_else(|| "the pickle's stack is empty".into())
    }

    fn pop_many(&mut self, count: usize) -> Result<Vec<Value>> {
        let mut values = (0..count).map(|_| self.pop()).collect::<Result<Vec<_>>>()?;
        values.reverse();
        Ok(values)
    }

    fn pop_marked(&mut self) -> Result<Vec<Value>> {
        let mark = self.marks.pop().ok_or("the pickle closes what it never opened")?;
        Ok(self.stack.split_off(mark.min(self.stack.len())))
    }

    fn push_int(&mut self, value: i64) {
        self.stack.push(Value::Int(value));
    }

    fn push_tuple(&mut self, items: Vec<Value>) -> Result<()> {
        let nested = nested(1, &items)?;
        self.stack.push(Value::Tuple(items.into(), nested));
        Ok(())
    }

    fn append(&mut self, items: Vec<Value>) -> Result<()> {
        match self.stack.last_mut() {
            Some(Value::List(list, depth)) => {
                *depth = nested(*depth, &items)?;
                Rc::make_mut(list).extend(items);
                Ok(())
            }
            _ => Err("items for what isn't a list".into()),
        }
    }

    fn set_items(&mut self, items: Vec<Value>) -> Result<()> {
        match self.stack.last_mut() {
            Some(Value::Dict(dict, depth)) if items.len().is_multiple_of(2) => {
                *depth = nested(*depth, &items)?;
                let dict = Rc::make_mut(dict);
                let mut items = items.into_iter();
                while let (Some(key), Some(value)) = (items.next(), items.next()) {
                    dict.push((key, value));
                }
                Ok(())
            }
            _ => Err("keys and values for what isn't a dictionary".into()),
        }
    }

    /// Lists and dictionaries may still grow, so they aren't shared: a state dictionary never asks for one again.
    fn remember(&mut self, key: u32) -> Result<()> {
        let value = match self.stack.last().ok_or("nothing to remember")? {
            Value::List(..) | Value::Dict(..) => Value::Opaque,
            value => value.clone(),
        };
        self.memo.insert(key, value);
        Ok(())
    }

    fn recall(&mut self, key: u32) -> Result<()> {
        let value = self.memo.get(&key).ok_or("the pickle recalls what it never remembered")?;
        self.stack.push(value.clone());
        Ok(())
    }
}

/// How deep a container nests that nests `depth` so far and takes in `items`.
fn nested(depth: u8, items: &[Value]) -> Result<u8> {
    let inner = items.iter().map(|item| match item {
        Value::Tuple(_, depth) | Value::List(_, depth) | Value::Dict(_, depth) => depth + 1,
        _ => 1,
    });
    let depth = inner.max().unwrap_or(1).max(depth);
    if depth > MOST_NESTED { Err(format!("nested deeper than {MOST_NESTED}")) } else { Ok(depth) }
}

fn long(bytes: &[u8]) -> Value {
    if bytes.len() > 8 {
        return Value::Long(bytes.into());
    }
    let fill = if bytes.last().is_some_and(|last| *last >= 0x80) { 0xff } else { 0 };
    let mut array = [fill; 8];
    array[..bytes.len()].copy_from_slice(bytes);
    Value::Int(i64::from_le_bytes(array))
}

/// A storage from its persistent id `('storage', class, key, device, numel, view)`.
fn storage(id: &Value) -> Result<Storage> {
    if let Value::Tuple(items, _) = id
        && let [Value::Text(tag), Value::Class(class), Value::Text(key), _, Value::Int(numel), ..] = &**items
        && &**tag == "storage"
        && let Some(kind) = class.strip_prefix("torch ")
    {
        let numel = u64::try_from(*numel).map_err(|_| format!("storage {key} holds {numel} numbers"))?;
        return Ok(Storage { kind: kind.into(), key: key.clone(), numel });
    }
    Err("an outside object that isn't a tensor's storage".into())
}

fn call(function: &Value, arguments: &Value) -> Result<Value> {
    let (Value::Class(name), Value::Tuple(arguments, _)) = (function, arguments) else {
        return Err("a call of what isn't a function".into());
    };
    match (&**name, &**arguments) {
        ("collections OrderedDict", []) => Ok(Value::Dict(Rc::default(), 1)),
        (
            "torch._utils _rebuild_tensor_v2",
            [Value::Storage(storage), Value::Int(offset), shape, strides, ..],
        ) => {
            let offset = usize::try_from(*offset).map_err(|_| "a tensor that begins before its storage")?;
            let (shape, strides) = (sizes(shape)?, sizes(strides)?);
            if shape.len() != strides.len() {
                return Err("a tensor with other strides than axes".into());
            }
            Ok(Value::Tensor(Rc::new(View { storage: storage.clone(), offset, shape, strides })))
        }
        _ => Err(format!("the pickle wants to call `{name}`, which is not part of a plain state dictionary")),
    }
}

fn sizes(value: &Value) -> Result<Vec<usize>> {
    let Value::Tuple(items, _) = value else { return Err("a tensor without a shape".into()) };
    if items.len() > MOST_AXES {
        return Err(format!("a tensor of more than {MOST_AXES} axes"));
    }
    let size = |item: &Value| match item {
        Value::Int(size) => usize::try_from(*size).map_err(|_| format!("an axis of {size}")),
        _ => Err("an axis that isn't a whole number".into()),
    };
    items.iter().map(size).collect()
}
