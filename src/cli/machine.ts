/** Options that choose the device and its threads: they become the environment variables that the engine reads when it starts. */
export function useMachine({ device, threads }: { readonly device?: string; readonly threads?: number }): void {
  if (device !== undefined) process.env.GRADIX_DEVICE = device;
  if (threads !== undefined) process.env.GRADIX_THREADS = String(threads);
}
