import { parentPort, workerData } from 'node:worker_threads'
import { answerTo } from './answer'
import type { ReadRequest } from './requests'

// dist/file-reader.js: one request, one answer, and the thread is over.
const answer = answerTo(workerData as ReadRequest)
parentPort?.postMessage(answer, answer.kind === 'json' ? [answer.texts.buffer, answer.ends.buffer] : [])
