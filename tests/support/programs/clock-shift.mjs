// Loaded before a program: its wall clock jumps when its parent says so. The monotonic clock, and with it every timer,
// goes on as it did: so it is when somebody sets the clock of a machine.
const RealDate = Date
let shiftMs = 0
const now = () => RealDate.now() + shiftMs

globalThis.Date = new Proxy(RealDate, {
  construct: (target, args, newTarget) => Reflect.construct(target, args.length === 0 ? [now()] : args, newTarget),
  apply: () => new RealDate(now()).toString(),
  get: (target, name) => (name === 'now' ? now : Reflect.get(target, name)),
})

process.on('message', (message) => {
  if (message?.type !== 'shift-clock') return
  shiftMs += message.ms
  process.send?.({ type: 'clock-shifted', now: Date.now() })
})
