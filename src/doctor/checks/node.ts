/** Is this Node new enough? Programs that use the library get here with any. */
import { defineCheck } from '../check.ts'
import { type Finding, ok, problem, runCommand } from '../result.ts'

/** `engines` of package.json. */
const NEEDED_MAJOR = 24

/** @param version as `process.versions.node` */
export function judgeNode(version: string): readonly Finding[] {
  const evidence = [
    { kind: 'system', asked: 'node --version', answers: [`v${version}`], failure: null },
  ] as const
  if (Number(version.split('.')[0]) >= NEEDED_MAJOR)
    return [ok({ code: 'node-new-enough', summary: `Node ${version}.`, evidence })]
  return [
    problem({
      code: 'node-too-old',
      summary: `Node ${version} is older than ${NEEDED_MAJOR}, which mxpress is made for.`,
      evidence,
      remedies: [runCommand('Install a newer Node.', `npx node@${NEEDED_MAJOR} --version`)],
    }),
  ]
}

export const nodeCheck = defineCheck({
  name: 'node',
  title: 'Node',
  observe: async () => process.versions.node,
  judge: judgeNode,
})
