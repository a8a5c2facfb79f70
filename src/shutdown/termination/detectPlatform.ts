import { existsSync, readFileSync } from 'node:fs'
import { bounded } from './bounded'
import { metadataHost, readMetadata } from './metadata'
import { isPlatform, type Platform } from './platform'

/** What detection looks at; everything has a default. */
export interface DetectionOptions {
  /** Default: this process's. `UNHANG_PLATFORM` names the platform outright. */
  readonly env?: NodeJS.ProcessEnv
  /** How long the metadata server may take. Default 1000: it is one hop away; TensorFlow waits 5 s. */
  readonly timeoutMs?: number
  /** The product name of the machine; null where the system does not tell. */
  readonly productName?: () => string | null
  readonly hasGpu?: () => boolean
}

const defaultTimeoutMs = 1000
/** As Google's client libraries recognize their machines without asking over the network. */
const googleProducts = ['Google Compute Engine', 'Google']

/**
 * Finds out where this process runs. Never rejects, and takes `timeoutMs` at most; a machine that says it is none of
 * Google's is known at once, without the network. Slurm goes first: on a machine in a cloud it is the one that sends
 * the notice. `borg` and `borg-tpu` are never found, only named: nothing outside of Google tells them.
 */
export async function detectPlatform(options: DetectionOptions = {}): Promise<Platform> {
  const { env = process.env, timeoutMs = defaultTimeoutMs, productName = readProductName, hasGpu = findGpu } = options
  if (isPlatform(env.UNHANG_PLATFORM)) return env.UNHANG_PLATFORM
  if (env.SLURM_JOB_ID !== undefined && env.SLURM_JOB_ID !== '') return 'slurm'
  if (!mayBeGoogles(env, productName())) return 'other'
  const answer = await bounded((signal) => readMetadata(metadataHost(env), 'instance/hostname', signal), timeoutMs)
  // The header tells it from whatever else answers at that name, such as a network that wants a login first.
  if (answer.kind !== 'done' || answer.value.status !== 200 || answer.value.flavor !== 'Google') return 'other'
  return hasGpu() ? 'gcp-gpu' : 'gcp-cpu'
}

/** False only where it is certain. In a container the name may be missing. */
function mayBeGoogles(env: NodeJS.ProcessEnv, product: string | null): boolean {
  if ([env.GCE_METADATA_IP, env.GCE_METADATA_HOST].some((host) => host !== undefined && host !== '')) return true
  return product === null || googleProducts.includes(product)
}

function readProductName(): string | null {
  try {
    return readFileSync('/sys/class/dmi/id/product_name', 'utf8').trim()
  } catch {
    return null
  }
}

/** By NVIDIA's driver, without which no program can use one. */
function findGpu(): boolean {
  return existsSync('/proc/driver/nvidia/version') || existsSync('/dev/nvidia0')
}
