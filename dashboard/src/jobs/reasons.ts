/** Why an item failed, in words: what only files and videos fail for, and what every frame may. */

import { FAILURE_WORDS, failureWords } from '../lib/states';

// @wc-include
export const ITEM_FAILURE_WORDS: Record<string, string> = {
  ...FAILURE_WORDS,
  empty: 'empty file',
  missing: 'file is gone',
  unreadable: 'cannot be read',
  not_a_file: 'not a file',
  corrupt_archive: 'damaged archive',
  encrypted: 'encrypted',
  archive_bomb: 'archive grows too large',
  no_room: 'no room to unpack it',
  refused: 'refused by RabbitMQ',
  no_answer: 'no worker answered',
  withdrawn: 'upload not finished',
  not_a_video: 'not a video',
  no_video: 'no pictures, sound alone',
  no_frames: 'no picture could be decoded',
  video_crashed: 'FFmpeg crashed',
  video_memory: 'too little memory for the video',
  video_stuck: 'FFmpeg hung',
  reader_failed: 'fault of Framefleet',
};

export const itemFailureWords = (reason: string): string =>
  ITEM_FAILURE_WORDS[reason] ?? failureWords(reason);
