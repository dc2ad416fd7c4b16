// Bundled, so that no window of the talk asks another origin for a font.
import '@fontsource-variable/bricolage-grotesque'
import '@fontsource-variable/inter'
import '@fontsource-variable/jetbrains-mono'
import './palette.css'
import './type.css'
import './code.css'
import './diagram.css'
import './stage.css'
