import { parentPort, workerData } from 'node:worker_threads'
import { answerTo } from './answer'
import type { ReadRequest } from './requests'

// dist/file-reader.js: the thread answers one request and ends.
const answer = answerTo(workerData as ReadRequest)
parentPort?.postMessage(answer, answer.kind === 'json' ? [answer.texts.buffer, answer.ends.buffer] : [])
