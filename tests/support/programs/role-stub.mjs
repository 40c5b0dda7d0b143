// Stands in for a role: says that it is ready, and ends as its argument says.
const how = process.argv[2]
if (how === 'broken' || how === 'unreachable') {
  console.error('the reason it cannot start')
  process.exit(how === 'broken' ? 1 : 4)
}
if (how !== 'mute') process.send({ type: 'ready', url: `http://127.0.0.1:${process.pid}` })
process.on('disconnect', () => process.exit(0))
if (how === 'stubborn') process.on('SIGTERM', () => undefined)
else process.on('SIGTERM', () => process.exit(0))
setInterval(() => undefined, 1000)
