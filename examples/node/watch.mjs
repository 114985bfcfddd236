// Print results as they come, with nothing but Node's own fetch and WebSocket.
//   Node 22 and newer:  TOKEN=… node examples/node/watch.mjs [http://127.0.0.1:8080] [camera,camera]
//   Node 20:            TOKEN=… node --experimental-websocket examples/node/watch.mjs …

const [gateway = 'http://127.0.0.1:8080', cameras = ''] = process.argv.slice(2);
const headers = { Authorization: `Bearer ${process.env.TOKEN}` };

const answer = await fetch(`${gateway}/api/session`, { headers });
if (!answer.ok) {
  console.error(`${answer.status}: ${(await answer.json()).error}`);
  process.exit(1);
}
console.error(`signed in as ${(await answer.json()).role}`);

function open(wait = 1000) {
  const address = new URL('/ws/results', gateway.replace(/^http/, 'ws'));
  if (cameras) address.searchParams.set('cameras', cameras);
  // `headers` is Node's own addition to WebSocket; browsers sign in with a link and have a session instead.
  const socket = new WebSocket(address, { headers });
  socket.onopen = () => (wait = 1000);
  socket.onmessage = ({ data }) => {
    const result = JSON.parse(data);
    console.log(result.camera_id, result.detections.length, result.frame_id);
  };
  socket.onclose = ({ code, reason }) => {
    console.error(`closed (${code}${reason ? `: ${reason}` : ''}), again in ${wait / 1000} s`);
    setTimeout(open, wait, Math.min(wait * 2, 30000));
  };
  socket.onerror = () => {}; // onclose follows
}
open();
