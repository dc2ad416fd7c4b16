import { randomBytes } from 'node:crypto'

/**
 * The script that finds out what a task's `solve` would change: it takes the files that git sees to a scratch repository, runs `solve`
 * there, and prints the difference as a patch, and nothing else, to its standard output. What `solve` says goes to the error output.
 * Wherever the copy is, with whatever executor, the scratch is there too, and gone afterwards.
 *
 * @param solve text of the task's script
 * @param prelude what runs before it in the same shell: variables
 */
export function rehearsedSolution(solve: string, prelude: string): string {
  const marker = `SOLVE_${randomBytes(12).toString('hex')}`
  return `set -eu
scratch=$(mktemp -d)
trap 'chmod -R u+w -- "$scratch"; rm -rf -- "$scratch"' EXIT
mkdir "$scratch/copy"
git ls-files -z --cached --others --exclude-standard | while IFS= read -r -d '' file; do
  if [ -f "$file" ] || [ -L "$file" ]; then printf '%s\\0' "$file"; fi
done | tar --create --null --no-recursion --files-from=- --file=- | tar --extract --file=- --directory="$scratch/copy"
cd "$scratch/copy"
git() { command git -c user.name=understudy -c user.email=understudy@localhost -c commit.gpgsign=false -c core.quotePath=false "$@"; }
git init --quiet .
git add --all
git commit --quiet --allow-empty --message start
cat >"$scratch/solve" <<'${marker}'
${prelude}
${solve}
${marker}
bash "$scratch/solve" 1>&2
git add --all
git diff --cached --no-color --no-ext-diff --no-renames --binary HEAD -- . ':(exclude,glob)**/flake.lock'
`
}
