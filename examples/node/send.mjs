// Send one picture as a task and wait until the broker has confirmed it.
//   npm install amqplib
//   AMQP_URL=amqp://… node examples/node/send.mjs face.jpg [camera]

import { readFile } from 'node:fs/promises';
import amqp from 'amqplib';

const [file, camera = 'example'] = process.argv.slice(2);
const connection = await amqp.connect(process.env.AMQP_URL);
const channel = await connection.createConfirmChannel();
// No assertQueue: frame_queue is there already, with arguments of its own. checkQueue only looks.
await channel.checkQueue('frame_queue');
channel.publish('', 'frame_queue', await readFile(file), {
  contentType: file.endsWith('.png') ? 'image/png' : 'image/jpeg',
  persistent: true,
  headers: { timestamp: String(Date.now() / 1000), camera_id: camera }
});
await channel.waitForConfirms(); // rejects when the queue is full
await connection.close();
console.log('confirmed');
